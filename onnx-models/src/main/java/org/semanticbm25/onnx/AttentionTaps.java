package org.semanticbm25.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

/**
 * Looks into the attention of a cross-encoder: for every head and every token of the query, the sum
 * of its attention to the tokens of the passage, {@code m_h(q_i, d) = sum over t of A_h[q_i, t]}.
 * After Lu, Chen and Eickhoff, "Pathway to Relevance: How Cross-Encoders Implement a Semantic Variant
 * of BM25", EMNLP 2025, but without the final {@code [SEP]}, which is a place to rest and no match.
 *
 * <p>Only the layers that are asked for are computed. Passages are read as far as they fit.
 *
 * <p>Thread-safe; holds native memory until it is closed.
 */
public final class AttentionTaps implements Closeable {
  private final PairEngine engine;
  private final int layers;
  private final int heads;

  /**
   * Attention of one query to one passage.
   *
   * @param queryTokens number of tokens of the query
   * @param mass in [0, 1], {@code [layers * heads, queryTokens]}, row by row
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Mass(int queryTokens, float[] mass) {
    /** The attention of a query token to the whole passage. */
    public float of(int head, int queryToken) {
      return mass[head * queryTokens + queryToken];
    }
  }

  private AttentionTaps(PairEngine engine, int layers) throws IOException {
    this.engine = engine;
    this.layers = layers;
    this.heads = mass("a", List.of("a")).getFirst().mass().length / layers;
  }

  /**
   * Opens the first layers of a model.
   *
   * @param layers to compute and look into, at least 1
   * @param threads batches that run side by side
   * @throws IOException as {@link CrossEncoder.Builder#open()}, or if attention is fused
   * @throws IllegalArgumentException if the model has fewer layers, or threads is less than 1
   */
  public static AttentionTaps open(NeuralModel model, int layers, int threads) throws IOException {
    PairEngine.checkThreads(threads);
    PairModel cut = PairModel.open(model, OnnxGraph.read(model.onnx()).cutAfter(layers));
    PairEngine engine =
        new PairEngine(
            cut, OnnxGraph.ATTENTION_MASS, threads, cut.maxTokens(), LongPassages.FIRST_WINDOW);
    try {
      return new AttentionTaps(engine, layers);
    } catch (IOException | RuntimeException e) {
      engine.close();
      throw e;
    }
  }

  /** Layers that are computed. */
  public int layers() {
    return layers;
  }

  /** Heads of a layer. */
  public int heads() {
    return heads;
  }

  /**
   * Attention from a query to passages. Head {@code h} of layer {@code l} is number {@code l * heads
   * + h}.
   *
   * @throws IOException if the model fails
   */
  public List<Mass> mass(String query, List<String> passages) throws IOException {
    Mass[] result = new Mass[passages.size()];
    Future<Mass[]> task =
        engine.submit(query, passages, (batch, output) -> keep(result, batch, output), result);
    try {
      return List.of(task.get());
    } catch (InterruptedException | ExecutionException e) {
      throw PairEngine.failure(task, e);
    }
  }

  private static void keep(Mass[] result, PairBatch batch, OnnxTensor output)
      throws OrtException {
    FloatBuffer values = output.getFloatBuffer();
    int heads = (int) output.getInfo().getShape()[1];
    int queryTokens = batch.queryTokens();
    for (int row = 0; row < batch.windows().size(); row++) {
      float[] mass = new float[heads * queryTokens];
      for (int head = 0; head < heads; head++) {
        // the row of [CLS] is left out
        int at = (row * heads + head) * (queryTokens + 1) + 1;
        values.get(at, mass, head * queryTokens, queryTokens);
      }
      result[batch.windows().get(row).passage()] = new Mass(queryTokens, mass);
    }
  }

  @Override
  public void close() throws IOException {
    engine.close();
  }
}
