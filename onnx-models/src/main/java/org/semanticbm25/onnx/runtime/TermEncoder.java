package org.semanticbm25.onnx.runtime;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.IntStream;
import org.apache.lucene.search.TaskExecutor;
import org.apache.lucene.util.ThreadInterruptedException;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.graph.HiddenStates;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.graph.QuickForm;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.similarity.model.SemanticBM25Model;

/**
 * Gives a term the vector that a BERT-family model makes of it when it is all there is to read:
 * {@code [CLS] pieces [SEP]}, hidden states after a layer, mean over the pieces.
 *
 * <p>Terms of the same number of pieces are run together, so nothing is padded, each batch on one
 * thread. Thread-safe; hold one per model and close it.
 */
public final class TermEncoder implements AutoCloseable {
  private static final int BATCH = 64;
  // a term longer than this is cut: it is no word
  private static final int MAX_PIECES = 32;

  private final NeuralModel model;
  private final int layer;
  private final HuggingFaceTokenizer tokenizer;
  private final OrtEnvironment environment = OnnxRuntime.environment();
  private final OrtSession session;
  private final Executor executor;
  // runs hold it for reading: one may go on when the thread that waited for it was interrupted
  private final ReadWriteLock closing = new ReentrantReadWriteLock();
  private boolean closed;
  private final int first;
  private final int last;

  /**
   * Loads the model and its tokenizer.
   *
   * @param model an encoder or a cross-encoder of the BERT family
   * @param layer after which states are taken, or {@link SemanticBM25Model#LAST_LAYER}
   * @param executor runs batches beside the calling thread
   * @throws IllegalArgumentException if there is no such layer
   * @throws IOException if either cannot be loaded, if the tokenizer does not put one token before
   *     and one after a text, or if the layer's states cannot be found in the graph; the message
   *     names the file
   */
  public TermEncoder(NeuralModel model, int layer, Executor executor) throws IOException {
    this.model = model;
    this.layer = layer;
    this.executor = executor;
    this.tokenizer = Tokenizers.open(model.tokenizer());
    try {
      long[] nothing = tokenizer.encode("").getIds();
      if (nothing.length != 2) {
        throw new IOException(
            model.tokenizer()
                + ": does not put one token before and one after a text; give that of a BERT-family"
                + " model");
      }
      this.first = Math.toIntExact(nothing[0]);
      this.last = Math.toIntExact(nothing[1]);
      this.session = session();
    } catch (IOException | RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  private OrtSession session() throws IOException {
    OnnxGraph graph = OnnxGraph.read(model.onnx());
    OnnxGraph states =
        layer == SemanticBM25Model.LAST_LAYER
            ? HiddenStates.last(graph)
            : HiddenStates.after(graph, layer);
    try (OrtSession.SessionOptions options = OnnxRuntime.sessionOptions(1)) {
      return environment.createSession(QuickForm.apply(states).bytes(), options);
    } catch (OrtException e) {
      throw new IOException(
          model.onnx() + ": ONNX Runtime cannot load it; fetch the model again", e);
    }
  }

  /**
   * The model.
   *
   * @return as it was opened
   */
  public NeuralModel model() {
    return model;
  }

  /**
   * After which layer states are taken.
   *
   * @return at least 1, or {@link SemanticBM25Model#LAST_LAYER}
   */
  public int layer() {
    return layer;
  }

  /**
   * The wordpieces of a word, without the tokens around it.
   *
   * @param word any text
   * @return ids, the first {@value #MAX_PIECES} at most; none if the tokenizer leaves nothing
   * @throws IllegalStateException if closed
   */
  public int[] pieces(String word) {
    closing.readLock().lock();
    try {
      requireOpen();
      long[] ids = tokenizer.encode(word).getIds();
      return Arrays.stream(ids, 1, Math.min(ids.length - 1, MAX_PIECES + 1))
          .mapToInt(Math::toIntExact)
          .toArray();
    } finally {
      closing.readLock().unlock();
    }
  }

  /**
   * Encodes words; a word of which the tokenizer leaves nothing gets a zero vector.
   *
   * @param words any texts; of a long one the first {@value #MAX_PIECES} wordpieces count
   * @param progress notified of the words that are done, from any thread
   * @return a vector for each word, {@code [words][hidden]}, not normalised
   * @throws IOException as {@link #encode}
   */
  public float[][] encodeWords(List<String> words, Progress progress) throws IOException {
    return encode(words.stream().map(this::pieces).toArray(int[][]::new), progress);
  }

  /**
   * Encodes sequences of wordpieces.
   *
   * @param pieces ids, for each term at most {@value #MAX_PIECES}
   * @param progress notified of the terms that are done, from any thread
   * @return a vector for each term, {@code [terms][hidden]}, not normalised; zeros for one without
   *     wordpieces
   * @throws IOException if the model fails, or returns no hidden states, or as an {@code
   *     InterruptedIOException} if the thread is interrupted
   * @throws IllegalStateException if closed
   */
  public float[][] encode(int[][] pieces, Progress progress) throws IOException {
    List<Integer> byLength =
        IntStream.range(0, pieces.length)
            .boxed()
            .sorted(Comparator.comparingInt(i -> pieces[i].length))
            .toList();
    float[][] vectors = new float[pieces.length][];
    Thread caller = Thread.currentThread();
    AtomicInteger done = new AtomicInteger();
    List<Callable<Void>> batches = new ArrayList<>();
    for (int start = 0, end; start < byLength.size(); start = end) {
      end = endOfBatch(pieces, byLength, start);
      List<Integer> batch = byLength.subList(start, end);
      batches.add(
          () -> {
            if (caller.isInterrupted()) {
              throw new InterruptedIOException("interrupted while encoding terms");
            }
            encodeBatch(pieces, batch, vectors);
            synchronized (done) {
              progress.report("encoding terms", done.addAndGet(batch.size()), pieces.length);
            }
            return null;
          });
    }
    try {
      new TaskExecutor(executor).invokeAll(batches);
    } catch (ThreadInterruptedException e) {
      caller.interrupt();
      throw (IOException)
          new InterruptedIOException("interrupted while encoding terms").initCause(e);
    }
    return vectors;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(model.onnx() + ": closed");
    }
  }

  private static int endOfBatch(int[][] pieces, List<Integer> byLength, int start) {
    int length = pieces[byLength.get(start)].length;
    int end = start;
    while (end < byLength.size()
        && end < start + BATCH
        && pieces[byLength.get(end)].length == length) {
      end++;
    }
    return end;
  }

  private void encodeBatch(int[][] pieces, List<Integer> batch, float[][] vectors)
      throws IOException {
    List<int[]> terms = batch.stream().map(i -> pieces[i]).toList();
    float[][] encoded = encodeBatch(terms, terms.getFirst().length);
    checkFinite(encoded);
    for (int i = 0; i < encoded.length; i++) {
      vectors[batch.get(i)] = encoded[i];
    }
  }

  /** The states of terms of one length, {@code [batch, length + 2, hidden]}, to their means. */
  private float[][] encodeBatch(List<int[]> batch, int length) throws IOException {
    closing.readLock().lock();
    try {
      requireOpen();
      return run(batch, length);
    } finally {
      closing.readLock().unlock();
    }
  }

  private float[][] run(List<int[]> batch, int length) throws IOException {
    try (TokenBatch inputs = new TokenBatch(session, batch, first, last);
        OrtSession.Result result = NativeRuns.run(session, inputs.tensors())) {
      return meanOverPieces(result.get(0).getValue(), length);
    } catch (OrtException e) {
      throw new IOException(model.onnx() + ": ONNX Runtime failed to run it", e);
    }
  }

  private void checkFinite(float[][] vectors) throws IOException {
    for (float[] vector : vectors) {
      for (float component : vector) {
        if (!Float.isFinite(component)) {
          throw new IOException(
              model.onnx() + ": its hidden states hold " + component + "; fetch the model again");
        }
      }
    }
  }

  private float[][] meanOverPieces(Object output, int length) throws IOException {
    if (!(output instanceof float[][][] states)) {
      throw new IOException(
          model.onnx()
              + ": no hidden states [batch, tokens, hidden] found; give the export of an encoder,"
              + " or of a cross-encoder");
    }
    float[][] means = new float[states.length][states[0][0].length];
    for (int i = 0; i < means.length; i++) {
      for (int t = 1; t <= length; t++) {
        for (int d = 0; d < means[i].length; d++) {
          means[i][d] += states[i][t][d] / length;
        }
      }
    }
    return means;
  }

  /** Waits for batches that are being run. */
  @Override
  public void close() {
    closing.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        try (tokenizer) {
          session.close();
        }
      }
    } catch (OrtException e) {
      throw new IllegalStateException("ONNX Runtime failed to close " + model.onnx(), e);
    } finally {
      closing.writeLock().unlock();
    }
  }
}
