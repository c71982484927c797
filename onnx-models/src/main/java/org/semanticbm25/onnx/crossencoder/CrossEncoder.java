package org.semanticbm25.onnx.crossencoder;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.semanticbm25.onnx.graph.DynamicQuantization;
import org.semanticbm25.onnx.graph.FirstTokenOnly;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.graph.ScoringForm;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.runtime.LongPassages;
import org.semanticbm25.onnx.runtime.Marks;
import org.semanticbm25.onnx.runtime.PairBatch;
import org.semanticbm25.onnx.runtime.PairEngine;
import org.semanticbm25.onnx.runtime.PairModel;
import org.semanticbm25.onnx.runtime.PairTokenizer;

/**
 * A cross-encoder: reads a query and a passage together, {@code [CLS] query [SEP] passage [SEP]},
 * and gives one logit, higher for more relevant.
 *
 * <p>Takes any sequence-classification model of the BERT family with one label, as Hugging Face
 * exports it to ONNX: inputs {@code input_ids}, {@code attention_mask} and perhaps {@code
 * token_type_ids}; output {@code [batch, 1]} or {@code [batch]}.
 *
 * <p>The query is never cut for the sake of a passage; only a query that would leave a passage
 * fewer than 64 tokens is. A passage that does not fit is scored by its first window or by its
 * best, see {@link LongPassages}.
 *
 * <p>With float weights, or with those of {@link DynamicQuantization}, a score does not depend on
 * what else is scored beside it, but for the last bits of a float. Models that others have
 * quantised share a scale among the passages of a batch, so that it does.
 *
 * <p>One per process is enough. Thread-safe: callers share its threads, and get the same scores as
 * if they were alone. A cross-encoder holds native memory until it is closed; closing stops what
 * runs.
 */
public final class CrossEncoder implements Closeable {
  private final NeuralModel model;
  private final PairEngine engine;
  private final LongPassages longPassages;

  /** Says how a cross-encoder is to run, and opens it. Not thread-safe. */
  public static final class Builder {
    private final NeuralModel model;
    private int threads = Runtime.getRuntime().availableProcessors();
    private int maxTokens = Integer.MAX_VALUE;
    private LongPassages longPassages = LongPassages.FIRST_WINDOW;

    private Builder(NeuralModel model) {
      this.model = model;
    }

    /**
     * Batches that run side by side, for all callers together; as many as cores by default.
     *
     * @param threads at least 1
     * @return this builder
     * @throws IllegalArgumentException if {@code threads} is less than 1
     */
    public Builder threads(int threads) {
      this.threads = PairEngine.checkThreads(threads);
      return this;
    }

    /**
     * Longest input, query and passage and three special tokens together. By default, and at most,
     * as many as the model has positions.
     *
     * @param maxTokens at least twice {@value PairBatch#MIN_PASSAGE_TOKENS}
     * @return this builder
     * @throws IllegalArgumentException if {@code maxTokens} is less than that
     */
    public Builder maxTokens(int maxTokens) {
      if (maxTokens < 2 * PairBatch.MIN_PASSAGE_TOKENS) {
        throw new IllegalArgumentException(
            "maxTokens must be at least %s, got: %s"
                .formatted(2 * PairBatch.MIN_PASSAGE_TOKENS, maxTokens));
      }
      this.maxTokens = maxTokens;
      return this;
    }

    /**
     * How passages are scored that do not fit; by their first window unless said otherwise.
     *
     * @param longPassages which windows of such a passage are scored
     * @return this builder
     */
    public Builder longPassages(LongPassages longPassages) {
      this.longPassages = longPassages;
      return this;
    }

    /**
     * Loads the model.
     *
     * @return a cross-encoder, after a trial run; to be closed
     * @throws IOException if a file is missing or damaged, if graph and tokenizer do not belong
     *     together, or if the graph is no cross-encoder; the message names the file and the remedy
     */
    public CrossEncoder open() throws IOException {
      return new CrossEncoder(this);
    }
  }

  /**
   * Begins to open a model.
   *
   * @param model graph and tokenizer of a cross-encoder; files are not read before {@link
   *     Builder#open()}
   * @return a builder with the defaults
   */
  public static Builder builder(NeuralModel model) {
    return new Builder(model);
  }

  private CrossEncoder(Builder builder) throws IOException {
    model = builder.model;
    longPassages = builder.longPassages;
    PairModel opened =
        PairModel.open(
            model,
            FirstTokenOnly.apply(ScoringForm.apply(OnnxGraph.read(model.onnx()))),
            builder.threads);
    try {
      engine =
          new PairEngine(
              opened,
              logits(opened.session()),
              builder.threads,
              Math.min(builder.maxTokens, opened.maxTokens()),
              longPassages);
    } catch (IOException | RuntimeException | Error e) {
      opened.close();
      throw e;
    }
    try {
      score("", List.of(""));
    } catch (IOException | RuntimeException e) {
      engine.close();
      throw e;
    }
  }

  private String logits(OrtSession session) throws IOException {
    try {
      for (var info : session.getOutputInfo().entrySet()) {
        if (info.getValue().getInfo() instanceof TensorInfo tensor && isLogits(tensor)) {
          return info.getKey();
        }
      }
      List<String> outputs = new ArrayList<>();
      for (var info : session.getOutputInfo().values()) {
        outputs.add(
            info.getInfo() instanceof TensorInfo tensor
                ? info.getName() + Arrays.toString(tensor.getShape())
                : info.getName());
      }
      throw new IOException(
          "%s: no output of one logit a pair, [batch, 1] or [batch]; its outputs are %s; give a model for sequence classification with one label"
              .formatted(model.onnx(), String.join(", ", outputs)));
    } catch (OrtException e) {
      throw new IOException(model.onnx() + ": ONNX Runtime failed: " + e.getMessage(), e);
    }
  }

  private static boolean isLogits(TensorInfo tensor) {
    long[] shape = tensor.getShape();
    return tensor.type == OnnxJavaType.FLOAT
        && (shape.length == 1 || (shape.length == 2 && shape[1] == 1));
  }

  /**
   * The model that scores.
   *
   * @return as it was given to {@link #builder}
   */
  public NeuralModel model() {
    return model;
  }

  /**
   * Scores passages for a query.
   *
   * @param query any text; cut if it leaves a passage too little room
   * @param passages any texts, perhaps none
   * @return a logit for each passage, in their order; neither bounded nor comparable between models
   * @throws IOException if the model fails or gives a logit that is no number
   * @throws InterruptedIOException if the thread is interrupted; the work is stopped
   * @throws IllegalStateException if this is closed, before or meanwhile
   */
  public float[] score(String query, List<String> passages) throws IOException {
    Future<float[]> scores = submit(query, passages);
    try {
      return scores.get();
    } catch (InterruptedException | ExecutionException e) {
      throw PairEngine.failure(scores, e);
    }
  }

  /**
   * Scores passages for a query unless that takes too long.
   *
   * @param query any text; cut if it leaves a passage too little room
   * @param passages any texts, perhaps none
   * @param timeout longest time from this call to the scores
   * @return a logit for each passage, in their order
   * @throws TimeoutException if time is up; the work is stopped
   * @throws IOException as {@link #score(String, List)}
   */
  public float[] score(String query, List<String> passages, Duration timeout)
      throws IOException, TimeoutException {
    // a duration too long for a long is for ever
    long nanoseconds = TimeUnit.NANOSECONDS.convert(timeout);
    long start = System.nanoTime();
    Future<float[]> scores = submit(query, passages);
    try {
      long spent = System.nanoTime() - start;
      if (spent >= nanoseconds) {
        // get would return scores that came too late
        throw new TimeoutException();
      }
      return scores.get(nanoseconds - spent, TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      scores.cancel(true);
      TimeoutException late =
          new TimeoutException(
              "%s passages were not scored within %s".formatted(passages.size(), timeout));
      late.initCause(e);
      throw late;
    } catch (InterruptedException | ExecutionException e) {
      throw PairEngine.failure(scores, e);
    }
  }

  /**
   * Begins to score passages for a query. Cancelling the future stops the work, also what is
   * running in the native code at that moment.
   *
   * @param query any text; cut if it leaves a passage too little room
   * @param passages any texts, perhaps none
   * @return gives a logit for each passage, in their order, or fails with what {@link
   *     #score(String, List)} throws
   * @throws IOException if ONNX Runtime cannot prepare the work
   * @throws RejectedExecutionException if {@value PairEngine#MAX_CALLS} calls are under way
   * @throws IllegalStateException if this is closed
   */
  public Future<float[]> submit(String query, List<String> passages) throws IOException {
    float[] scores = new float[passages.size()];
    Arrays.fill(scores, Float.NEGATIVE_INFINITY);
    return engine.submit(
        engine.queryTokens(query),
        passages,
        Marks.PASSAGE_AND_SEPARATOR,
        (batch, output) -> keepBest(scores, batch, output),
        scores);
  }

  private void keepBest(float[] scores, PairBatch batch, OnnxTensor output)
      throws OrtException, IOException {
    FloatBuffer logits = output.getFloatBuffer();
    for (int row = 0; row < batch.windows().size(); row++) {
      float logit = logits.get(row);
      if (!Float.isFinite(logit)) {
        throw new IOException(
            "%s: gives the logit %s; the model is damaged, fetch it again"
                .formatted(model.onnx(), logit));
      }
      int passage = batch.windows().get(row).passage();
      synchronized (scores) {
        scores[passage] = Math.max(scores[passage], logit);
      }
    }
  }

  /**
   * What the model is given to read of a pair.
   *
   * @param queryTokens of the query, after cutting
   * @param queryCut number of tokens cut off the query
   * @param passageTokens of the passage, all of them
   * @param windowTokens tokens of the passage in one window at most
   * @param windows number of windows of the passage that are scored
   */
  public record Reading(
      List<String> queryTokens,
      int queryCut,
      List<String> passageTokens,
      int windowTokens,
      int windows) {}

  /**
   * Says what the model is given to read of a pair.
   *
   * @param query any text
   * @param passage any text
   * @return tokens and windows of the pair, without scoring it
   * @throws IllegalStateException if this is closed
   */
  public Reading read(String query, String passage) {
    return engine.tokenize(tokenizer -> read(tokenizer, query, passage));
  }

  private Reading read(PairTokenizer tokenizer, String query, String passage) {
    int[] tokens = engine.queryTokens(query);
    int[] passageTokens = tokenizer.encode(passage);
    int room = engine.room(tokens.length);
    return new Reading(
        List.of(tokenizer.tokens(tokens)),
        tokenizer.encode(query).length - tokens.length,
        List.of(tokenizer.tokens(passageTokens)),
        room,
        longPassages.windows(0, passageTokens.length, room).size());
  }

  @Override
  public void close() throws IOException {
    engine.close();
  }
}
