package org.semanticbm25.onnx.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.io.IOException;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Turns a graph's products with weight matrices into 8-bit integer products, and its word
 * embeddings into bytes.
 *
 * <ul>
 *   <li>Weights: symmetric, a scale for each output, in [-63, 63]. One bit stays unused because
 *       processors with AVX2 but without VNNI add two products in 16 bits, which eight would
 *       overflow.
 *   <li>Activations: symmetric, in [-127, 127], a scale for <em>each token</em>, found as the model
 *       runs. A scale for the whole batch, as usual, is a little faster, but then a score depends
 *       on what else is in the batch.
 *   <li>Word embeddings: symmetric, one scale, looked up as bytes.
 * </ul>
 *
 * <p>Products of two computed values, the head and the norms stay as they are.
 */
public final class DynamicQuantization {
  private static final int WEIGHT_LEVELS = 63;
  private static final int LEVELS = 127;
  private static final long MIN_OPSET = 11;
  private static final long AXES_ARE_INPUTS = 18;

  private final OnnxGraph graph;
  private final GraphProto.Builder edited = GraphProto.newBuilder();
  private final Set<String> quantized = new HashSet<>();

  private DynamicQuantization(OnnxGraph graph) {
    this.graph = graph;
  }

  /**
   * Quantises a graph.
   *
   * @param graph in float
   * @return a graph of the same inputs and outputs
   * @throws IOException if the graph is quantised already or too old to be
   */
  public static OnnxGraph apply(OnnxGraph graph) throws IOException {
    return graph.with(new DynamicQuantization(graph).edit());
  }

  private ModelProto edit() throws IOException {
    if (graph.isQuantized()) {
      throw new IOException(graph.source() + ": is quantised already; give the float model");
    }
    if (graph.opset() < MIN_OPSET) {
      throw new IOException(
          "%s: uses operators of version %s; export it with version %s or later"
              .formatted(graph.source(), graph.opset(), MIN_OPSET));
    }
    GraphProto original = graph.model().getGraph();
    NodeProto words = WordEmbeddings.gather(graph);
    edited.mergeFrom(original).clearNode();
    edited.addInitializer(Tensors.floats("int8/levels", new float[] {LEVELS}));
    // a token that is all zeros would divide by zero
    edited.addInitializer(Tensors.floats("int8/tiny", new float[] {Float.MIN_NORMAL * LEVELS}));
    edited.addInitializer(Tensors.floats("int8/one", new float[] {1}));
    edited.addInitializer(Tensors.longs("int8/last", new long[] {-1}, 1));
    edited.addInitializer(
        Tensors.bytes("int8/middle", TensorProto.DataType.UINT8, new byte[] {(byte) 128}));
    edited.addInitializer(Tensors.bytes("int8/zero", TensorProto.DataType.INT8, new byte[] {0}));
    for (NodeProto node : original.getNodeList()) {
      Optional<TensorProto> matrix = matrix(node);
      if (node.equals(words) && isFloat(WordEmbeddings.table(graph, node).orElseThrow())) {
        lookUpBytes(node);
      } else if (matrix.isPresent()) {
        multiplyIntegers(node, matrix.get());
      } else {
        edited.addNode(node);
      }
    }
    if (quantized.isEmpty()) {
      throw new IOException(
          graph.source() + ": has no products with float weights; give the float model");
    }
    return graph.model().toBuilder().setGraph(Nodes.pruned(edited)).build();
  }

  private Optional<TensorProto> matrix(NodeProto node) {
    return node.getOpType().equals("MatMul")
        ? graph
            .weight(node.getInput(1))
            .filter(t -> t.getDimsCount() == 2)
            .filter(DynamicQuantization::isFloat)
        : Optional.empty();
  }

  private static boolean isFloat(TensorProto tensor) {
    return tensor.getDataType() == TensorProto.DataType.FLOAT.getNumber();
  }

  private void lookUpBytes(NodeProto gather) throws IOException {
    TensorProto table = WordEmbeddings.table(graph, gather).orElseThrow();
    float[] values = graph.decode(table);
    float scale = Float.MIN_NORMAL;
    for (float value : values) {
      scale = Math.max(scale, Math.abs(value) / LEVELS);
    }
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) Math.round(values[i] / scale);
    }
    String name = gather.getInput(0) + "/int8";
    edited.addInitializer(
        Tensors.bytes(name, TensorProto.DataType.INT8, bytes, table.getDims(0), table.getDims(1)));
    edited.addInitializer(Tensors.floats(name + "/scale", new float[] {scale}));
    String rows = gather.getOutput(0) + "/int8";
    edited.addNode(Nodes.node("Gather", rows, name, gather.getInput(1)));
    edited.addNode(Nodes.node("DequantizeLinear", gather.getOutput(0), rows, name + "/scale"));
  }

  private void multiplyIntegers(NodeProto product, TensorProto matrix) throws IOException {
    String weights = product.getInput(1) + "/int8";
    // several layers may share a matrix, and several matrices an input
    if (quantized.add(weights)) {
      quantizeMatrix(weights, matrix);
    }
    String x = product.getInput(0);
    if (quantized.add(x)) {
      quantizeTokens(x);
    }
    String y = product.getOutput(0);
    edited.addNode(
        Nodes.node(
            "MatMulInteger", y + "/int32", x + "/uint8", weights, "int8/middle", "int8/zero"));
    edited.addNode(
        Nodes.node("Cast", y + "/float", y + "/int32")
            .addAttribute(Nodes.attribute("to", TensorProto.DataType.FLOAT.getNumber())));
    edited.addNode(Nodes.node("Mul", y + "/rows", y + "/float", x + "/scale"));
    edited.addNode(Nodes.node("Mul", y, y + "/rows", weights + "/scale"));
  }

  private void quantizeMatrix(String name, TensorProto matrix) throws IOException {
    int outputs = (int) matrix.getDims(1);
    float[] values = graph.decode(matrix);
    float[] scales = new float[outputs];
    for (int i = 0; i < values.length; i++) {
      float scale = Math.max(Math.abs(values[i]) / WEIGHT_LEVELS, Float.MIN_NORMAL);
      scales[i % outputs] = Math.max(scales[i % outputs], scale);
    }
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) Math.round(values[i] / scales[i % outputs]);
    }
    edited.addInitializer(
        Tensors.bytes(name, TensorProto.DataType.INT8, bytes, matrix.getDims(0), outputs));
    edited.addInitializer(Tensors.floats(name + "/scale", scales, outputs));
  }

  /** {@code uint8 = round(x / scale) + 128} with {@code scale = max |x| / 127} over a token. */
  private void quantizeTokens(String x) {
    NodeProto.Builder largest =
        graph.opset() < AXES_ARE_INPUTS
            ? Nodes.node("ReduceMax", x + "/largest", x + "/size")
                .addAttribute(Nodes.attribute("axes", new long[] {-1}))
            : Nodes.node("ReduceMax", x + "/largest", x + "/size", "int8/last");
    edited.addNode(Nodes.node("Abs", x + "/size", x));
    edited.addNode(largest);
    edited.addNode(Nodes.node("Add", x + "/positive", x + "/largest", "int8/tiny"));
    edited.addNode(Nodes.node("Div", x + "/scale", x + "/positive", "int8/levels"));
    edited.addNode(Nodes.node("Div", x + "/units", x, x + "/scale"));
    edited.addNode(
        Nodes.node("QuantizeLinear", x + "/uint8", x + "/units", "int8/one", "int8/middle"));
  }
}
