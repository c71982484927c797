package org.semanticbm25.onnx.runtime;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.Closeable;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.Map;
import org.semanticbm25.onnx.graph.Nodes;
import org.semanticbm25.onnx.graph.Tensors;
import org.semanticbm25.similarity.model.TermVectors;

/**
 * Compares vectors of tokens with all vectors of a table, as products of matrices:
 *
 * <pre>
 *   sum(t) = sum over tokens j of gate_j * max(0, v_j . e_t - threshold) ^ 2
 * </pre>
 *
 * <p>Thread-safe. Holds native memory until it is closed.
 */
public final class KernelSums implements Closeable {
  // tokens at a time: the products of these with some ten thousand vectors stay in the cache
  private static final int TOKENS = 32;
  private static final int OPSET = 13;
  private static final int IR_VERSION = 7;

  private final int size;
  private final int dimensions;
  private final OrtSession session;

  /**
   * Loads a table.
   *
   * @param table unit vectors {@code e_t}
   * @param threshold cosine at which the kernel begins
   * @throws IOException if ONNX Runtime cannot load it
   */
  public KernelSums(TermVectors table, float threshold) throws IOException {
    this.size = table.size();
    this.dimensions = table.dimensions();
    try (OrtSession.SessionOptions options = OnnxRuntime.sessionOptions(1)) {
      session =
          OnnxRuntime.environment().createSession(graph(table, threshold).toByteArray(), options);
    } catch (OrtException e) {
      throw new IOException("ONNX Runtime cannot load a table of terms: " + e.getMessage(), e);
    }
  }

  /** The threshold is taken off by one more dimension, in which all tokens have 1. */
  private static ModelProto graph(TermVectors table, float threshold) {
    int size = table.size();
    int rows = table.dimensions() + 1;
    float[] columns = new float[rows * size];
    for (int t = 0; t < size; t++) {
      float[] unit = table.unit(t);
      for (int d = 0; d < unit.length; d++) {
        columns[d * size + t] = unit[d];
      }
      columns[(rows - 1) * size + t] = -threshold;
    }
    GraphProto graph =
        GraphProto.newBuilder()
            .setName("kernel_sums")
            .addInput(Nodes.value("vectors", DataType.FLOAT, "tokens", rows))
            .addInput(Nodes.value("gates", DataType.FLOAT, 1, "tokens"))
            .addInitializer(Tensors.floats("table", columns, rows, size))
            .addNode(Nodes.node("MatMul", "above", "vectors", "table"))
            .addNode(Nodes.node("Relu", "kept", "above"))
            .addNode(Nodes.node("Mul", "squares", "kept", "kept"))
            .addNode(Nodes.node("MatMul", "sums", "gates", "squares"))
            .addOutput(Nodes.value("sums", DataType.FLOAT, 1, size))
            .build();
    return ModelProto.newBuilder()
        .setIrVersion(IR_VERSION)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(OPSET))
        .setGraph(graph)
        .build();
  }

  /**
   * Adds the sums of some tokens.
   *
   * @param sums of all vectors of the table
   * @param vectors unit vectors {@code v_j}
   * @param gates a factor of each
   * @throws IOException if ONNX Runtime fails
   */
  public void add(float[] sums, float[][] vectors, float[] gates) throws IOException {
    for (int start = 0; start < gates.length; start += TOKENS) {
      add(sums, vectors, gates, start, Math.min(start + TOKENS, gates.length));
    }
  }

  private void add(float[] sums, float[][] vectors, float[] gates, int start, int end)
      throws IOException {
    int tokens = end - start;
    FloatBuffer rows = FloatBuffer.allocate(tokens * (dimensions + 1));
    for (int i = start; i < end; i++) {
      rows.put(vectors[i]).put(1f);
    }
    FloatBuffer factors = FloatBuffer.wrap(gates, start, tokens);
    try (OnnxTensor left = tensor(rows.flip(), tokens, dimensions + 1);
        OnnxTensor weights = tensor(factors, 1, tokens);
        OrtSession.Result result =
            NativeRuns.run(session, Map.of("vectors", left, "gates", weights))) {
      FloatBuffer found = ((OnnxTensor) result.get(0)).getFloatBuffer();
      for (int t = 0; t < size; t++) {
        sums[t] += found.get(t);
      }
    } catch (OrtException e) {
      throw new IOException("ONNX Runtime failed to compare tokens: " + e.getMessage(), e);
    }
  }

  private static OnnxTensor tensor(FloatBuffer numbers, long... shape) throws OrtException {
    return OnnxTensor.createTensor(OnnxRuntime.environment(), numbers, shape);
  }

  @Override
  public void close() throws IOException {
    try {
      session.close();
    } catch (OrtException e) {
      throw new IOException("ONNX Runtime failed to free a table of terms", e);
    }
  }
}
