package org.semanticbm25.opensearch;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.util.IOUtils;
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

  private static final Logger LOGGER = LogManager.getLogger(Models.class);
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");

  private final Path folder;
  private final Path cache;
  private final int threads;
  private final Map<String, SemanticBM25Model> statics = new TreeMap<>();
  private final Map<String, ContextualModel> contextuals = new TreeMap<>();
  private final Map<String, SoftTermEncoder> encoders = new TreeMap<>();
  private final Map<String, CrossEncoder> crossEncoders = new TreeMap<>();
  private final Map<String, AttentionScorer> attentions = new TreeMap<>();

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

  /** Opens a model of a kind under a name that is no path. */
  private interface Opener<T> {
    T open(String name) throws IOException;
  }

  private synchronized <T> T get(Map<String, T> opened, String name, String what, Opener<T> opener) {
    T model = opened.get(name);
    if (model == null) {
      checkName(name);
      try {
        model = opener.open(name);
      } catch (IOException e) {
        // callers are not told where a node keeps its files; its log is
        LOGGER.warn("model [" + name + "] cannot be opened as " + what, e);
        throw new IllegalArgumentException(
            "model '%s' cannot be used as %s: %s".formatted(name, what, reason(e)));
      } catch (LinkageError | AssertionError e) {
        // of a native library; an error that leaves a thread of the pool ends the node
        throw new IllegalStateException("model '" + name + "' cannot be run on this node", e);
      }
      opened.put(name, model);
    }
    return model;
  }

  /** What a caller is told, without the place of the folder. */
  private String reason(IOException e) {
    return String.valueOf(e.getMessage()).replace(folder.toString(), "config/semantic-bm25");
  }

  private static void checkName(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "illegal model name '%s': letters, digits, '.', '_' and '-' only, 100 at most"
              .formatted(name.length() > 120 ? name.substring(0, 120) + "..." : name));
    }
  }

  SemanticBM25Model semantic(String name) {
    return get(
        statics,
        name,
        "a static model",
        n -> n.equals(BUNDLED) ? EnglishModel.load() : readStatic(n + ".sbm25"));
  }

  private SemanticBM25Model readStatic(String file) throws IOException {
    try (Directory directory = openFolder(folder)) {
      return SemanticBM25Model.read(directory, file);
    }
  }

  ContextualModel contextual(String name) {
    return get(
        contextuals,
        name,
        "a contextual model",
        n -> n.equals(BUNDLED) ? EnglishModel.loadContextual() : readContextual(n));
  }

  private ContextualModel readContextual(String name) throws IOException {
    try (Directory directory = openFolder(folder.resolve(name))) {
      return ContextualModel.read(directory, "terms.contextual");
    }
  }

  private static Directory openFolder(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new IOException(folder + ": no such folder");
    }
    return FSDirectory.open(folder);
  }

  SoftTermEncoder encoder(String name) {
    ContextualModel terms = contextual(name);
    return get(
        encoders,
        name,
        "a contextual model",
        n ->
            SoftTermEncoder.open(
                n.equals(BUNDLED) ? NeuralModel.bundledContextual(cache) : neural(n),
                terms,
                threads));
  }

  CrossEncoder crossEncoder(String name) {
    return get(
        crossEncoders,
        name,
        "a cross-encoder",
        n ->
            CrossEncoder.builder(n.equals(BUNDLED) ? NeuralModel.bundled(cache) : neural(n))
                .threads(threads)
                .open());
  }

  AttentionScorer attention(String name) {
    return get(attentions, name, "a model with attention functions", this::openAttention);
  }

  private AttentionScorer openAttention(String name) throws IOException {
    NeuralModel model = name.equals(BUNDLED) ? NeuralModel.bundled(cache) : neural(name);
    AttentionModel functions = name.equals(BUNDLED) ? AttentionModel.bundled() : functions(name);
    return AttentionScorer.open(model, functions, Math.ceilDiv(2 * functions.layers(), 3), threads);
  }

  private AttentionModel functions(String name) throws IOException {
    try (Directory directory = openFolder(folder.resolve(name))) {
      return AttentionModel.read(directory, "model.attention");
    }
  }

  private NeuralModel neural(String name) throws IOException {
    return NeuralModel.at(folder.resolve(name));
  }

  /** What is open. */
  synchronized List<ModelInfo> opened() {
    List<ModelInfo> infos = new ArrayList<>();
    statics.forEach((name, m) -> infos.add(new ModelInfo(name, "static", m.id())));
    contextuals.forEach((name, m) -> infos.add(new ModelInfo(name, "contextual", m.id())));
    encoders.forEach(
        (name, m) ->
            infos.add(
                new ModelInfo(
                    name, "contextual_encoder", m.model().provenance().sourceSha256())));
    crossEncoders.forEach(
        (name, m) -> infos.add(new ModelInfo(name, "cross_encoder", digest(m.model()))));
    attentions.forEach((name, m) -> infos.add(new ModelInfo(name, "attention", digest(m.model()))));
    return infos;
  }

  private static String digest(NeuralModel model) {
    try {
      return model.sha256();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Names of all models that could be opened, the bundled one first. */
  List<String> available() throws IOException {
    List<String> names = new ArrayList<>(List.of(BUNDLED));
    if (Files.isDirectory(folder)) {
      try (var files = Files.list(folder)) {
        files
            .map(file -> file.getFileName().toString())
            .filter(name -> NAME.matcher(name).matches())
            .sorted()
            .forEach(names::add);
      }
    }
    return names;
  }

  @Override
  public synchronized void close() throws IOException {
    List<Closeable> all = new ArrayList<>(encoders.values());
    all.addAll(crossEncoders.values());
    all.addAll(attentions.values());
    IOUtils.close(all);
  }
}
