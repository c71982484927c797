package org.semanticbm25.onnx.attention;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.graph.AttentionTap;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.runtime.LongPassages;
import org.semanticbm25.onnx.runtime.Marks;
import org.semanticbm25.onnx.runtime.PairBatch;
import org.semanticbm25.onnx.runtime.PairEngine;
import org.semanticbm25.onnx.runtime.PairModel;

/**
 * Looks into the attention of a cross-encoder: for every head and every token of the query, the sum
 * of its attention to the tokens of the passage, {@code m_h(q_i, d) = sum over t of A_h[q_i, t]}.
 * After Lu, Chen and Eickhoff, "Pathway to Relevance: How Cross-Encoders Implement a Semantic
 * Variant of BM25", EMNLP 2025. There the final {@code [SEP]} counts as a passage token; it is a
 * place to rest and no match, so here its share is kept apart.
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
   * @param queryTokens ids of the query's tokens, as far as it was read
   * @param passage attention to the passage, in [0, 1], {@code [layers * heads, queryTokens]}, row
   *     by row
   * @param separator attention to the {@code [SEP]} after it, likewise
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Mass(int[] queryTokens, float[] passage, float[] separator) {
    /**
     * Number of heads in all layers together.
     *
     * @return layers times heads of a layer; 0 if the query has no tokens
     */
    public int heads() {
      return queryTokens.length == 0 ? 0 : passage.length / queryTokens.length;
    }

    /**
     * The attention of a query token to the whole passage.
     *
     * @param head number of the head, from 0, layer after layer
     * @param queryToken position in {@link #queryTokens}
     * @return in [0, 1]
     */
    public float of(int head, int queryToken) {
      return passage[head * queryTokens.length + queryToken];
    }

    /**
     * The attention of a query token to the final separator.
     *
     * @param head number of the head, from 0, layer after layer
     * @param queryToken position in {@link #queryTokens}
     * @return in [0, 1]
     */
    public float toSeparator(int head, int queryToken) {
      return separator[head * queryTokens.length + queryToken];
    }
  }

  private AttentionTaps(PairEngine engine, int layers) throws IOException {
    this.engine = engine;
    this.layers = layers;
    this.heads = mass("a", List.of("a")).getFirst().heads() / layers;
  }

  /**
   * Opens the first layers of a model.
   *
   * @param model a cross-encoder whose attention is not fused
   * @param layers to compute and look into, at least 1
   * @param threads batches that run side by side
   * @return taps, to be closed
   * @throws IOException as {@link CrossEncoder.Builder#open()}, or if attention is fused
   * @throws IllegalArgumentException if the model has fewer layers, or threads is less than 1
   */
  public static AttentionTaps open(NeuralModel model, int layers, int threads) throws IOException {
    PairEngine.checkThreads(threads);
    PairModel cut =
        PairModel.open(model, AttentionTap.cutAfter(OnnxGraph.read(model.onnx()), layers));
    if (cut.tokenizer().separators() != 1) {
      cut.close();
      throw new IOException(
          model.tokenizer()
              + ": puts two separators between query and passage; attention is looked into where"
              + " there is one, as BERT has it");
    }
    PairEngine engine;
    try {
      engine =
          new PairEngine(
              cut, OnnxGraph.ATTENTION_MASS, threads, cut.maxTokens(), LongPassages.FIRST_WINDOW);
    } catch (RuntimeException | Error e) {
      cut.close();
      throw e;
    }
    try {
      return new AttentionTaps(engine, layers);
    } catch (IOException | RuntimeException e) {
      engine.close();
      throw e;
    }
  }

  /**
   * Layers that are computed.
   *
   * @return at least 1
   */
  public int layers() {
    return layers;
  }

  /**
   * Heads of a layer.
   *
   * @return at least 1
   */
  public int heads() {
    return heads;
  }

  /**
   * Attention from a query to passages. Head {@code h} of layer {@code l} is number {@code l *
   * heads + h}.
   *
   * @param query any text; cut if it leaves a passage too little room
   * @param passages any texts, perhaps none; each is read as far as it fits
   * @return attention to each passage, in their order
   * @throws IOException if the model fails
   */
  public List<Mass> mass(String query, List<String> passages) throws IOException {
    int[] tokens = engine.queryTokens(query);
    Mass[] result = new Mass[passages.size()];
    return List.of(
        run(
            tokens,
            passages,
            Marks.PASSAGE_AND_SEPARATOR,
            (batch, output) -> keep(result, tokens, batch, output),
            result));
  }

  /** Returns the result when the reader has filled it. */
  private <R> R run(
      int[] query, List<String> passages, Marks marks, PairEngine.Reader reader, R result)
      throws IOException {
    Future<R> task = engine.submit(query, passages, marks, reader, result);
    try {
      return task.get();
    } catch (InterruptedException | ExecutionException e) {
      throw PairEngine.failure(task, e);
    }
  }

  private static void keep(Mass[] result, int[] queryTokens, PairBatch batch, OnnxTensor output)
      throws OrtException {
    FloatBuffer values = output.getFloatBuffer();
    int heads = (int) output.getInfo().getShape()[1];
    int tokens = queryTokens.length;
    for (int row = 0; row < batch.windows().size(); row++) {
      float[] passage = new float[heads * tokens];
      float[] separator = new float[heads * tokens];
      for (int i = 0; i < passage.length; i++) {
        // the row of [CLS] is left out
        int position = (row * heads + i / tokens) * (tokens + 1) + 1 + i % tokens;
        passage[i] = values.get(2 * position);
        separator[i] = values.get(2 * position + 1);
      }
      result[batch.windows().get(row).passage()] = new Mass(queryTokens, passage, separator);
    }
  }

  /**
   * Attention between the tokens of a query and those of a passage, as far as both are read.
   *
   * @param queryTokens ids
   * @param passageTokens ids
   * @param attention in [0, 1], {@code [layers * heads][queryTokens][passageTokens]}; its sum over
   *     the passage is {@link Mass#of}
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Matches(int[] queryTokens, int[] passageTokens, float[][][] attention) {}

  /**
   * Attention from each token of a query to each token of a passage: thousands of numbers, to look
   * at a few pairs.
   *
   * @param query any text; cut if it leaves the passage too little room
   * @param passage any text, read as far as it fits
   * @return attention of all heads of the layers that are computed
   * @throws IOException if the model fails
   */
  public Matches matches(String query, String passage) throws IOException {
    int[] tokens = engine.queryTokens(query);
    int[] read = engine.tokenize(tokenizer -> tokenizer.encode(passage));
    int[] passageTokens = Arrays.copyOf(read, Math.min(read.length, engine.room(tokens.length)));
    float[][][] attention = new float[layers * heads][tokens.length][passageTokens.length];
    return run(
        tokens,
        List.of(passage),
        Marks.EACH_TOKEN,
        (batch, output) -> keep(attention, batch, output),
        new Matches(tokens, passageTokens, attention));
  }

  private static void keep(float[][][] attention, PairBatch batch, OnnxTensor output) {
    FloatBuffer values = output.getFloatBuffer();
    for (int head = 0; head < attention.length; head++) {
      int tokens = attention[head].length;
      for (int i = 0; i < tokens; i++) {
        // after [CLS], whose row is left out, the query and its separator
        int start = (head * (tokens + 1) + 1 + i) * batch.length() + tokens + 2;
        values.get(start, attention[head][i]);
      }
    }
  }

  /**
   * The texts of tokens.
   *
   * @param ids of tokens in the model's vocabulary
   * @return a text for each id, in their order
   */
  public List<String> tokens(int[] ids) {
    return engine.tokenize(tokenizer -> List.of(tokenizer.tokens(ids)));
  }

  @Override
  public void close() throws IOException {
    engine.close();
  }
}
