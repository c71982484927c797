package org.semanticbm25.onnx.context;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.Closeable;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.runtime.PairBatch;
import org.semanticbm25.onnx.runtime.PairModel;
import org.semanticbm25.onnx.runtime.TokenBatch;
import org.semanticbm25.similarity.model.Interruption;

/**
 * Reads passages in windows and gives a vector and a gate for each of their tokens. Thread-safe.
 */
final class PassageEncoder implements Closeable {
  private static final String VECTORS = "vectors";
  private static final String GATES = "gates";
  private static final int SPECIAL_TOKENS = 2;

  private final PairModel model;

  private PassageEncoder(PairModel model) {
    this.model = model;
  }

  static PassageEncoder open(NeuralModel files) throws IOException {
    OnnxGraph graph = OnnxGraph.read(files.onnx());
    if (!graph.outputs().containsAll(List.of(VECTORS, GATES))) {
      throw new IOException(
          "%s: its outputs are %s, not %s and %s; give an encoder of contextual soft terms"
              .formatted(files.onnx(), graph.outputs(), VECTORS, GATES));
    }
    return new PassageEncoder(PairModel.open(files, graph));
  }

  /** A part of a passage, which the model reads at once. */
  static final class Window {
    /** Number of the passage. */
    final int passage;

    private final int[] tokens;

    private Window(int passage, int[] tokens) {
      this.passage = passage;
      this.tokens = tokens;
    }

    private int length() {
      return tokens.length + SPECIAL_TOKENS;
    }
  }

  /** What the model makes of a window: a row for each token, those around the text among them. */
  interface Visitor {
    void visit(Window window, float[][] vectors, float[] gates) throws IOException;
  }

  /** Reads passages, with the calling thread; calls the visitor for each window, in any order. */
  void forEachWindow(List<String> passages, Visitor visitor) throws IOException {
    List<Window> windows = windows(passages);
    windows.sort(Comparator.comparingInt(Window::length).reversed());
    for (int start = 0, end; start < windows.size(); start = end) {
      Interruption.check("encoding passages");
      int size = Math.max(1, PairBatch.MAX_TOKENS / windows.get(start).length());
      end = Math.min(start + size, windows.size());
      run(windows.subList(start, end), visitor);
    }
  }

  /** Windows of like lengths that hold all of each passage; none of one without tokens. */
  private List<Window> windows(List<String> passages) {
    int room = model.maxTokens() - SPECIAL_TOKENS;
    List<Window> windows = new ArrayList<>();
    for (int i = 0; i < passages.size(); i++) {
      int[] tokens = model.tokenizer().encode(passages.get(i));
      int parts = Math.ceilDiv(tokens.length, room);
      for (int part = 0; part < parts; part++) {
        int start = (int) ((long) tokens.length * part / parts);
        int end = (int) ((long) tokens.length * (part + 1) / parts);
        windows.add(new Window(i, Arrays.copyOfRange(tokens, start, end)));
      }
    }
    return windows;
  }

  private void run(List<Window> windows, Visitor visitor) throws IOException {
    List<int[]> texts = windows.stream().map(window -> window.tokens).toList();
    int first = model.tokenizer().first();
    int last = model.tokenizer().separator();
    try (TokenBatch batch = new TokenBatch(model.session(), texts, first, last);
        OrtSession.Result result = model.run(batch.tensors())) {
      FloatBuffer vectors = output(result, VECTORS);
      FloatBuffer gates = output(result, GATES);
      int tokens = windows.size() * batch.width();
      if (gates.capacity() != tokens || vectors.capacity() % tokens != 0) {
        throw new IOException(
            model.source() + ": its outputs have other shapes than an encoder's of soft terms");
      }
      int dimensions = vectors.capacity() / tokens;
      for (int row = 0; row < windows.size(); row++) {
        Window window = windows.get(row);
        float[][] ofTokens = new float[window.length()][dimensions];
        float[] ownGates = new float[window.length()];
        for (int i = 0; i < window.length(); i++) {
          int token = row * batch.width() + i;
          vectors.get(token * dimensions, ofTokens[i]);
          ownGates[i] = gates.get(token);
        }
        visitor.visit(window, ofTokens, ownGates);
      }
    } catch (OrtException e) {
      throw new IOException(
          model.source() + ": ONNX Runtime failed to run it: " + e.getMessage(), e);
    }
  }

  private static FloatBuffer output(OrtSession.Result result, String name) {
    return ((OnnxTensor) result.get(name).orElseThrow()).getFloatBuffer();
  }

  /** The texts of a window's tokens, those around it among them. */
  String[] texts(Window window) {
    int[] all = new int[window.length()];
    all[0] = model.tokenizer().first();
    System.arraycopy(window.tokens, 0, all, 1, window.tokens.length);
    all[all.length - 1] = model.tokenizer().separator();
    return model.tokenizer().tokens(all);
  }

  String source() {
    return model.source();
  }

  @Override
  public void close() throws IOException {
    model.close();
  }
}
