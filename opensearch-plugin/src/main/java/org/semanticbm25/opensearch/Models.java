package org.semanticbm25.opensearch;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.util.IOUtils;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.english.EnglishModel;
import org.semanticbm25.onnx.attention.AttentionModel;
import org.semanticbm25.onnx.attention.AttentionScorer;
import org.semanticbm25.onnx.context.SoftTermEncoder;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.similarity.model.ContextualModel;
import org.semanticbm25.similarity.model.SemanticBM25Model;

/**
 * The models of a node: those that come with the plugin, named {@value #BUNDLED}, and those in a
 * folder of the node's configuration. Each is read at its first use and kept.
 *
 * <p>A name is a file or folder there: {@code NAME.sbm25} for a static model; {@code NAME/} with
 * {@code model.onnx}, {@code tokenizer.json} and, by its kind, {@code terms.contextual} or {@code
 * model.attention}. Thread-safe.
 */
final class Models implements Closeable {
  /** Name of the models that come with the plugin. */
  static final String BUNDLED = "english";

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");

  private static final String STATIC_SUFFIX = ".sbm25";
  private static final String TERMS = "terms.contextual";
  private static final String FUNCTIONS = "model.attention";

  private final Path folder;
  private final Path cache;
  private final int threads;
  private final Kind<SemanticBM25Model> statics =
      new Kind<>(
          "static", this::openStatic, SemanticBM25Model::id, SemanticBM25Model::ramBytesUsed);
  private final Kind<ContextualModel> contextuals =
      new Kind<>(
          "contextual", this::openContextual, ContextualModel::id, ContextualModel::ramBytesUsed);
  private final Kind<SoftTermEncoder> encoders =
      new Kind<>(
          "contextual_encoder",
          this::openEncoder,
          encoder -> encoder.files().sha256(),
          encoder -> Files.size(encoder.files().onnx()));
  private final Kind<CrossEncoder> crossEncoders =
      new Kind<>(
          "cross_encoder",
          this::openCrossEncoder,
          encoder -> encoder.model().sha256(),
          this::weights);
  private final Kind<AttentionScorer> attentions =
      new Kind<>(
          "attention",
          this::openAttention,
          scorer -> scorer.model().sha256(),
          scorer -> Files.size(scorer.model().onnx()));

  /**
   * @param folder of further models, which need not exist
   * @param cache folder to unpack bundled models into
   * @param threads of each neural model
   */
  Models(Path folder, Path cache, int threads) {
    this.folder = folder;
    this.cache = cache;
    this.threads = threads;
  }

  /** Bytes of a cross-encoder's weights, which are held twice where there are several threads. */
  private long weights(CrossEncoder encoder) throws IOException {
    return Files.size(encoder.model().onnx()) * (threads == 1 ? 1 : 2);
  }

  /** Makes something of a model, or of its name. */
  private interface Step<A, B> {
    B of(A given) throws IOException;
  }

  /** The open models of a kind. Opening one holds up only those who ask for the same. */
  private static final class Kind<T> {
    // a model that cannot be opened is not tried again for so long
    private static final long RETRY_NANOS = 30_000_000_000L;

    private final String name;
    private final Step<String, T> opener;
    private final Step<T, String> digest;
    private final Step<T, Long> bytes;
    private final ConcurrentMap<String, Slot<T>> slots = new ConcurrentHashMap<>();

    private static final class Slot<T> {
      private @Nullable T model;
      private @Nullable RuntimeException failure;
      private long failedAt;
      private volatile @Nullable ModelInfo info;
    }

    Kind(String name, Step<String, T> opener, Step<T, String> digest, Step<T, Long> bytes) {
      this.name = name;
      this.opener = opener;
      this.digest = digest;
      this.bytes = bytes;
    }

    T get(String model) {
      Slot<T> slot = slots.computeIfAbsent(model, m -> new Slot<>());
      synchronized (slot) {
        T opened = slot.model;
        if (opened != null) {
          return opened;
        }
        if (slot.failure != null && System.nanoTime() - slot.failedAt < RETRY_NANOS) {
          throw slot.failure;
        }
        try {
          opened =
              Failures.hidden(
                  "opening the model [" + model + "] as [" + name + "]", () -> opener.of(model));
          slot.info = Failures.hidden("reading", info(model, opened));
          slot.model = opened;
          return opened;
        } catch (RuntimeException e) {
          slot.failure = e;
          slot.failedAt = System.nanoTime();
          throw e;
        }
      }
    }

    private Callable<ModelInfo> info(String model, T opened) {
      return () -> new ModelInfo(model, name, digest.of(opened), bytes.of(opened));
    }

    /** What is open. */
    List<ModelInfo> infos() {
      return slots.values().stream().map(slot -> slot.info).filter(Objects::nonNull).toList();
    }

    List<T> opened() {
      List<T> models = new ArrayList<>();
      for (Slot<T> slot : slots.values()) {
        synchronized (slot) {
          if (slot.model != null) {
            models.add(slot.model);
          }
        }
      }
      return models;
    }
  }

  /** Asks for a model by a name that is no path, of which there are files. */
  private <T> T get(Kind<T> kind, String name) {
    checkName(name);
    if (!name.equals(BUNDLED)
        && !Files.exists(folder.resolve(name))
        && !Files.exists(folder.resolve(name + STATIC_SUFFIX))) {
      throw new IllegalArgumentException(
          "no model [%s] in config/semantic-bm25 of the node".formatted(name));
    }
    return kind.get(name);
  }

  private static void checkName(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "illegal model name '%s': letters, digits, '.', '_' and '-' only, 100 at most"
              .formatted(name.length() > 120 ? name.substring(0, 120) + "..." : name));
    }
  }

  SemanticBM25Model semantic(String name) {
    return get(statics, name);
  }

  ContextualModel contextual(String name) {
    return get(contextuals, name);
  }

  SoftTermEncoder encoder(String name) {
    return get(encoders, name);
  }

  CrossEncoder crossEncoder(String name) {
    return get(crossEncoders, name);
  }

  AttentionScorer attention(String name) {
    return get(attentions, name);
  }

  private SemanticBM25Model openStatic(String name) throws IOException {
    if (name.equals(BUNDLED)) {
      return EnglishModel.load();
    }
    requireFile(folder.resolve(name + STATIC_SUFFIX), name);
    try (Directory directory = openFolder(folder)) {
      return SemanticBM25Model.read(directory, name + STATIC_SUFFIX);
    }
  }

  private ContextualModel openContextual(String name) throws IOException {
    if (name.equals(BUNDLED)) {
      return EnglishModel.loadContextual();
    }
    requireFile(folder.resolve(name).resolve(TERMS), name);
    try (Directory directory = openFolder(folder.resolve(name))) {
      return ContextualModel.read(directory, TERMS);
    }
  }

  private SoftTermEncoder openEncoder(String name) throws IOException {
    NeuralModel files = name.equals(BUNDLED) ? NeuralModel.bundledContextual(cache) : neural(name);
    return SoftTermEncoder.open(files, contextual(name), threads);
  }

  private CrossEncoder openCrossEncoder(String name) throws IOException {
    return CrossEncoder.builder(crossEncoderFiles(name)).threads(threads).open();
  }

  private NeuralModel crossEncoderFiles(String name) throws IOException {
    return name.equals(BUNDLED) ? NeuralModel.bundled(cache) : neural(name);
  }

  private AttentionScorer openAttention(String name) throws IOException {
    AttentionModel functions =
        name.equals(BUNDLED) ? AttentionModel.bundled() : readFunctions(name);
    int layers = Math.ceilDiv(2 * functions.layers(), 3);
    return AttentionScorer.open(crossEncoderFiles(name), functions, layers, threads);
  }

  private AttentionModel readFunctions(String name) throws IOException {
    requireFile(folder.resolve(name).resolve(FUNCTIONS), name);
    try (Directory directory = openFolder(folder.resolve(name))) {
      return AttentionModel.read(directory, FUNCTIONS);
    }
  }

  private NeuralModel neural(String name) throws IOException {
    requireFile(folder.resolve(name).resolve("tokenizer.json"), name);
    return NeuralModel.at(folder.resolve(name));
  }

  private static void requireFile(Path file, String name) {
    if (!Files.isRegularFile(file)) {
      throw new IllegalArgumentException(
          "model [%s] has no %s in config/semantic-bm25 of the node"
              .formatted(name, file.getFileName()));
    }
  }

  private static Directory openFolder(Path folder) throws IOException {
    return FSDirectory.open(folder);
  }

  /** What is open. */
  List<ModelInfo> opened() {
    return Stream.of(statics, contextuals, encoders, crossEncoders, attentions)
        .flatMap(kind -> kind.infos().stream())
        .toList();
  }

  /** Names of all models that could be opened, the bundled one first. */
  List<String> available() throws IOException {
    List<String> names = new ArrayList<>(List.of(BUNDLED));
    if (Files.isDirectory(folder)) {
      try (var files = Files.list(folder)) {
        files
            .map(file -> file.getFileName().toString().replaceFirst(STATIC_SUFFIX + "$", ""))
            .filter(name -> NAME.matcher(name).matches())
            .distinct()
            .sorted()
            .forEach(names::add);
      }
    }
    return names;
  }

  @Override
  public void close() throws IOException {
    List<Closeable> all = new ArrayList<>(encoders.opened());
    all.addAll(crossEncoders.opened());
    all.addAll(attentions.opened());
    IOUtils.close(all);
  }
}
