package org.semanticbm25.onnx.distill;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.Closeable;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.onnx.graph.AttentionTap;
import org.semanticbm25.onnx.graph.EmbeddingShift;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.graph.ScoringForm;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.runtime.PairBatch;
import org.semanticbm25.onnx.runtime.PairModel;

/**
 * Edits the embedding of one token while a cross-encoder reads a pair, and tells what that changes:
 * the causal test of Lu, Chen and Eickhoff, <i>Pathway to Relevance</i>, EMNLP 2025, section 4.4,
 * with controls. The edit holds wherever the token stands, in the query and in the passage.
 *
 * <p>Thread-safe; holds native memory until it is closed.
 */
public final class EmbeddingProbe implements Closeable {
  private final PairModel model;
  private final String logits;
  private final TextTokens tokens;
  private final Map<String, Integer> words = new HashMap<>();
  // of unit length
  private final double @Nullable [] fittedAxis;

  /**
   * What is changed of an embedding e, with c = e . v, v the unit vector of the IDF direction.
   * Where c is positive a factor above 1 raises IDF, see {@link #component}.
   */
  public enum Edit {
    /** {@code e + (factor - 1) c v}: the component along the IDF direction is scaled. */
    IDF_DIRECTION,
    /**
     * {@code e + (factor - 1) c w}: a step of the same length along the direction w that least
     * squares fits to a table of IDF.
     */
    FITTED_DIRECTION,
    /** {@code e + (factor - 1) c u}: a step of the same length along a random direction u. */
    RANDOM_DIRECTION,
    /** {@code factor e}: all of the embedding is scaled. */
    WHOLE
  }

  /**
   * What the model makes of a pair.
   *
   * @param logit of the pair
   * @param toQuery attention of {@code [CLS]} to the token in the query, mean over all heads
   * @param toPassage attention of {@code [CLS]} to the token in the passage, mean over all heads
   */
  public record Response(double logit, double toQuery, double toPassage) {}

  private EmbeddingProbe(
      PairModel model, String logits, TextTokens tokens, double @Nullable [] fittedAxis) {
    this.model = model;
    this.logits = logits;
    this.tokens = tokens;
    this.fittedAxis = fittedAxis;
    for (int i = 0; i < tokens.pieces().size(); i++) {
      words.put(tokens.pieces().get(i), i);
    }
  }

  /**
   * Opens a cross-encoder.
   *
   * @param model a cross-encoder in float or int8, whose attention is not fused
   * @param idf by lower-case word, to fit a direction to; null for none
   * @return a probe, to be closed
   * @throws IOException if a file is missing or damaged, or the model is of another kind
   * @throws IllegalArgumentException if all words of the table have the same IDF
   */
  public static EmbeddingProbe open(NeuralModel model, @Nullable Map<String, Double> idf)
      throws IOException {
    OnnxGraph graph = ScoringForm.apply(OnnxGraph.read(model.onnx()));
    TextTokens tokens = TextTokens.read(model, graph);
    double[] fitted =
        idf == null
            ? null
            : IdfDirection.leastSquaresAxis(tokens.pieces(), tokens.embeddings(), idf);
    if (graph.outputs().size() != 1) {
      throw new IOException(
          "%s: its outputs are %s; give a cross-encoder whose only output is the logit"
              .formatted(model.onnx(), graph.outputs()));
    }
    PairModel opened = PairModel.open(model, AttentionTap.all(EmbeddingShift.apply(graph)));
    if (opened.tokenizer().separators() != 1) {
      opened.close();
      throw new IOException(
          model.tokenizer() + ": puts two separators between query and passage, not one");
    }
    return new EmbeddingProbe(opened, graph.outputs().getFirst(), tokens, fitted);
  }

  /**
   * The token that a word is.
   *
   * @param word in the spelling of the vocabulary
   * @return its number among the tokens that stand for text; empty if it is no single token
   */
  public OptionalInt token(String word) {
    Integer token = words.get(word);
    return token == null ? OptionalInt.empty() : OptionalInt.of(token);
  }

  /**
   * The component of a token's embedding along the IDF direction, oriented so that IDF grows along
   * it.
   *
   * @param token of {@link #token}
   * @return of either sign
   */
  public double component(int token) {
    return IdfDirection.component(tokens.embeddings().get(token), tokens.axis());
  }

  /**
   * Runs a pair with an edit.
   *
   * @param query any text, cut if it leaves the passage too little room
   * @param passage any text, read as far as it fits
   * @param token of {@link #token}
   * @param edit what is changed
   * @param factor 1 changes nothing
   * @return logit and attention
   * @throws IOException if the model fails
   * @throws IllegalStateException if the edit needs a table of IDF and there is none
   */
  public Response run(String query, String passage, int token, Edit edit, double factor)
      throws IOException {
    int id = tokens.ids().get(token);
    int room = model.maxTokens() - model.tokenizer().specialTokens();
    int[] queryIds = first(query, room - PairBatch.MIN_PASSAGE_TOKENS);
    int[] passageIds = first(passage, room - queryIds.length);
    Map<String, OnnxTensor> inputs = new HashMap<>();
    try {
      putPair(inputs, queryIds, passageIds, id);
      put(inputs, EmbeddingShift.TOKEN, new long[] {id}, 1);
      float[] shift = shift(token, edit, factor);
      put(inputs, EmbeddingShift.SHIFT, shift, shift.length);
      try (OrtSession.Result result = model.run(inputs)) {
        return response(result);
      }
    } catch (OrtException e) {
      throw new IOException(
          model.source() + ": ONNX Runtime failed to run it: " + e.getMessage(), e);
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  private int[] first(String text, int limit) {
    int[] ids = model.tokenizer().encodeStart(text, limit);
    return Arrays.copyOf(ids, Math.min(ids.length, limit));
  }

  private float[] shift(int token, Edit edit, double factor) {
    double step = (factor - 1) * component(token);
    return switch (edit) {
      case IDF_DIRECTION -> times(tokens.axis(), step);
      case FITTED_DIRECTION -> {
        if (fittedAxis == null) {
          throw new IllegalStateException("no direction is fitted: opened without a table of IDF");
        }
        yield times(fittedAxis, step);
      }
      case RANDOM_DIRECTION -> times(direction(tokens.axis().length, token), step);
      case WHOLE -> {
        float[] scaled = tokens.embeddings().get(token).clone();
        for (int d = 0; d < scaled.length; d++) {
          scaled[d] *= (float) (factor - 1);
        }
        yield scaled;
      }
    };
  }

  private static float[] times(double[] axis, double length) {
    float[] shift = new float[axis.length];
    for (int d = 0; d < shift.length; d++) {
      shift[d] = (float) (length * axis[d]);
    }
    return shift;
  }

  /** All directions are alike to a normal distribution. */
  private static double[] direction(int width, int seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[] any = new double[width];
    Arrays.setAll(any, d -> random.nextGaussian());
    return new ArrayRealVector(any, false).unitVector().toArray();
  }

  /** A row {@code [CLS] query [SEP] passage [SEP]}, and where the token stands in it. */
  private void putPair(Map<String, OnnxTensor> inputs, int[] query, int[] passage, int token)
      throws OrtException {
    int length = query.length + passage.length + 3;
    long[] ids = new long[length];
    long[] types = new long[length];
    float[] marks = new float[2 * length];
    ids[0] = model.tokenizer().first();
    for (int i = 1; i < length; i++) {
      int inPassage = i - query.length - 2;
      types[i] = inPassage < 0 ? 0 : model.tokenizer().passageType();
      if (inPassage == -1 || i == length - 1) {
        ids[i] = model.tokenizer().separator();
      } else {
        ids[i] = inPassage < 0 ? query[i - 1] : passage[inPassage];
        marks[2 * i + (inPassage < 0 ? 0 : 1)] = ids[i] == token ? 1 : 0;
      }
    }
    long[] mask = new long[length];
    Arrays.fill(mask, 1);
    put(inputs, OnnxGraph.INPUT_IDS, ids, 1, length);
    put(inputs, OnnxGraph.ATTENTION_MASK, mask, 1, length);
    put(inputs, OnnxGraph.TOKEN_TYPE_IDS, types, 1, length);
    put(inputs, OnnxGraph.MARKS, marks, 1, 1, length, 2);
    put(inputs, OnnxGraph.QUERY_END, new long[] {1}, 1);
  }

  private void put(Map<String, OnnxTensor> inputs, String name, long[] values, long... shape)
      throws OrtException {
    if (model.session().getInputNames().contains(name)) {
      inputs.put(
          name,
          OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), LongBuffer.wrap(values), shape));
    }
  }

  private static void put(
      Map<String, OnnxTensor> inputs, String name, float[] values, long... shape)
      throws OrtException {
    inputs.put(
        name,
        OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), FloatBuffer.wrap(values), shape));
  }

  /** Attention of the first position, {@code [1, layers * heads, 2]}, and the logit. */
  private Response response(OrtSession.Result result) {
    float logit = output(result, logits).get(0);
    FloatBuffer attention = output(result, OnnxGraph.ATTENTION_MASS);
    double[] sums = new double[2];
    int heads = attention.capacity() / 2;
    for (int i = 0; i < attention.capacity(); i++) {
      sums[i % 2] += attention.get(i) / heads;
    }
    return new Response(logit, sums[0], sums[1]);
  }

  private static FloatBuffer output(OrtSession.Result result, String name) {
    return ((OnnxTensor) result.get(name).orElseThrow()).getFloatBuffer();
  }

  @Override
  public void close() throws IOException {
    model.close();
  }
}
