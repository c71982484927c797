package org.semanticbm25.eval.compare;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.util.IOUtils;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.collection.CachedCrossEncoder;
import org.semanticbm25.eval.collection.CachedScorer;
import org.semanticbm25.eval.collection.ScoreCache;
import org.semanticbm25.lucene.CrossEncoderRescorer;
import org.semanticbm25.onnx.attention.AttentionFunction;
import org.semanticbm25.onnx.attention.AttentionModel;
import org.semanticbm25.onnx.attention.AttentionScorer;
import org.semanticbm25.onnx.crossencoder.PairScorer;

/** The systems that read query and passage: a cross-encoder, and attention in its first layers. */
public final class NeuralSystems implements Closeable {
  private static final int TIMED_QUERIES = 2;
  private static final int TIMED_PASSAGES = 8;
  private static final int ROUNDS = 3;

  private final CachedCrossEncoder encoder;
  private final @Nullable AttentionModel functions;
  private final Map<Integer, AttentionScorer> attention = new LinkedHashMap<>();
  private final Map<Integer, CachedScorer> cached = new LinkedHashMap<>();

  private NeuralSystems(CachedCrossEncoder encoder, @Nullable AttentionModel functions) {
    this.encoder = encoder;
    this.functions = functions;
  }

  /**
   * Opens the attention of a cross-encoder beside it.
   *
   * @param encoder closed with this
   * @param functions of its attention; null for none
   * @param cuts numbers of layers
   * @param scores folder of scores that are known
   */
  public static NeuralSystems open(
      CachedCrossEncoder encoder,
      @Nullable AttentionModel functions,
      Set<Integer> cuts,
      Path scores)
      throws IOException {
    NeuralSystems systems = new NeuralSystems(encoder, functions);
    try {
      if (functions != null) {
        for (int layers : cuts) {
          systems.open(functions, layers, scores);
        }
      }
      return systems;
    } catch (IOException | RuntimeException e) {
      IOUtils.closeWhileHandlingException(systems);
      throw e;
    }
  }

  private void open(AttentionModel functions, int layers, Path scores) throws IOException {
    if (layers < 1 || layers > functions.layers()) {
      throw new UserException(
          "--layers %d: must be 0 to %d, the layers of %s"
              .formatted(layers, functions.layers(), functions.provenance().source()));
    }
    AttentionScorer scorer =
        AttentionScorer.open(
            encoder.encoder().model(),
            functions,
            layers,
            Runtime.getRuntime().availableProcessors());
    attention.put(layers, scorer);
    cached.put(
        layers,
        new CachedScorer(
            scorer::score,
            ScoreCache.open(scores, encoder.encoder().model(), weights(scorer.function()))));
  }

  /** All numbers of a function, to tell it from others. */
  private String weights(AttentionFunction function) {
    StringBuilder all = new StringBuilder("attention " + function.layers());
    all.append(' ').append(function.bias()).append(' ').append(function.idfWeight());
    for (double idf : new double[] {0, 1}) {
      headWeights(function, idf).forEach(layer -> all.append(Arrays.toString(layer)));
    }
    return all.toString();
  }

  private List<float[]> headWeights(AttentionFunction function, double idf) {
    int heads = functions == null ? 0 : functions.headsOfLayer();
    List<float[]> weights = new ArrayList<>();
    for (int layer = 0; layer < function.layers(); layer++) {
      float[] row = new float[heads];
      for (int head = 0; head < heads; head++) {
        int number = layer * heads + head;
        row[head] = (float) (function.massWeight(number) + idf * function.idfMassWeight(number));
      }
      weights.add(row);
    }
    return weights;
  }

  /** Adds the systems to a comparison, the weakest first. */
  public void addTo(Comparer comparer) throws IOException {
    Map<String, List<String>> pairs = comparer.somePairs(TIMED_QUERIES, TIMED_PASSAGES);
    List<PairScorer> timed = new ArrayList<>();
    attention.values().forEach(scorer -> timed.add(scorer::score));
    timed.add(encoder.encoder()::score);
    double[] millis = millisOfPassage(timed, pairs);
    int i = 0;
    for (Map.Entry<Integer, CachedScorer> cut : cached.entrySet()) {
      comparer.add(
          "attention-" + cut.getKey(),
          "attention in the first %s layers of the cross-encoder".formatted(cut.getKey()),
          cut.getValue(),
          0,
          millis[i++]);
    }
    add(comparer, encoder, millis[i]);
  }

  /** The cross-encoder as the rescorer has it, and its logit alone, which all are compared with. */
  private static void add(Comparer comparer, CachedCrossEncoder encoder, double millisOfPassage)
      throws IOException {
    float weight = CrossEncoderRescorer.FIRST_PASS_WEIGHT;
    comparer.add(
        "cross-encoder + bm25",
        "logit + %s * BM25, as the rescorer ranks".formatted(weight),
        encoder,
        weight,
        millisOfPassage);
    comparer.add(Comparer.REFERENCE, "the logit alone", encoder, 0, millisOfPassage);
  }

  /** Adds a cross-encoder, without its attention. */
  public static void addTo(Comparer comparer, CachedCrossEncoder encoder) throws IOException {
    Map<String, List<String>> pairs = comparer.somePairs(TIMED_QUERIES, TIMED_PASSAGES);
    add(comparer, encoder, millisOfPassage(List.of(encoder.encoder()::score), pairs)[0]);
  }

  /** Times the scorers in turn, without what is cached; medians. */
  private static double[] millisOfPassage(List<PairScorer> scorers, Map<String, List<String>> pairs)
      throws IOException {
    int passages = pairs.values().stream().mapToInt(List::size).sum();
    double[][] times = new double[scorers.size()][ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
      for (int s = 0; s < times.length; s++) {
        long start = System.nanoTime();
        for (Map.Entry<String, List<String>> query : pairs.entrySet()) {
          scorers.get(s).score(query.getKey(), query.getValue());
        }
        times[s][round] = (System.nanoTime() - start) / 1e6 / Math.max(1, passages);
      }
    }
    return Arrays.stream(times).mapToDouble(NeuralSystems::median).toArray();
  }

  private static double median(double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  /** What each head counts for, for a token of idf 5; null without attention. */
  public Comparison.@Nullable Heads heads() {
    double idf = 5;
    return functions == null
        ? null
        : new Comparison.Heads(idf, headWeights(functions.function(functions.layers()), idf));
  }

  @Override
  public void close() throws IOException {
    List<Closeable> all = new ArrayList<>(cached.values());
    all.addAll(attention.values());
    all.add(encoder);
    IOUtils.close(all);
  }
}
