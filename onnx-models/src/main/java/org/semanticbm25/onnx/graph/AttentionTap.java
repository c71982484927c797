package org.semanticbm25.onnx.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.io.IOException;
import java.util.List;

/** Makes attention an output of a graph, summed over sets of tokens. */
public final class AttentionTap {
  private AttentionTap() {}

  /**
   * Adds an output {@value OnnxGraph#ATTENTION_MASS}, {@code [batch, layers * heads, query_end *
   * marks]}: for every head and each of the first {@code query_end} positions, the sum of its
   * attention to the tokens of each of {@value OnnxGraph#MARKS}. The sums are made in the graph, so
   * that nothing of the size of tokens by tokens leaves the runtime.
   *
   * @param graph of a BERT-family model
   * @return a graph with all outputs of the given one and {@value OnnxGraph#ATTENTION_MASS}
   * @throws IOException if the graph has no attention that can be looked into, or is tapped already
   */
  public static OnnxGraph all(OnnxGraph graph) throws IOException {
    return tapped(graph, graph.layersOrThrow(), graph.model().getGraph().getOutputList());
  }

  /**
   * Keeps the first layers of a model and what they need, with {@value OnnxGraph#ATTENTION_MASS} as
   * the only output: the same numbers as {@link #all} gives for these layers.
   *
   * @param graph of a BERT-family model
   * @param layers to keep, at least 1
   * @return a graph without the later layers, {@code [batch, layers * heads, query_end * marks]}
   *     out
   * @throws IOException if the graph has no attention that can be looked into, or is tapped already
   * @throws IllegalArgumentException if there are not that many layers
   */
  public static OnnxGraph cutAfter(OnnxGraph graph, int layers) throws IOException {
    List<NodeProto> attention = graph.layersOrThrow();
    int all = attention.size();
    if (layers < 1 || layers > all) {
      throw new IllegalArgumentException(
          "%s: has %s layers, cannot be cut after %s; give 1 to %s"
              .formatted(graph.source(), all, layers, all));
    }
    return tapped(graph, attention.subList(0, layers), List.of());
  }

  private static OnnxGraph tapped(
      OnnxGraph graph, List<NodeProto> attention, List<ValueInfoProto> outputs) throws IOException {
    if (graph.inputs().contains(OnnxGraph.MARKS)) {
      throw new IOException(graph.source() + ": is tapped already; give the model it was made of");
    }
    GraphProto.Builder edited =
        graph.model().getGraph().toBuilder().clearOutput().addAllOutput(outputs);
    edited.addInput(
        Nodes.value(OnnxGraph.MARKS, TensorProto.DataType.FLOAT, "batch", 1, "tokens", "marks"));
    edited.addInput(Nodes.value(OnnxGraph.QUERY_END, TensorProto.DataType.INT64, 1));
    edited.addInitializer(Tensors.longs("tap/zero", new long[] {0}, 1));
    edited.addInitializer(Tensors.longs("tap/axis", new long[] {2}, 1));
    edited.addInitializer(Tensors.longs("tap/shape", new long[] {0, 0, -1}, 3));
    NodeProto.Builder all =
        Nodes.node("Concat", "tap/all").addAttribute(Nodes.attribute("axis", 1));
    for (int layer = 0; layer < attention.size(); layer++) {
      String tap = "tap/" + layer;
      String probabilities = attention.get(layer).getOutput(0);
      edited.addNode(
          Nodes.node(
              "Slice", tap + "/rows", probabilities, "tap/zero", OnnxGraph.QUERY_END, "tap/axis"));
      // half-precision models
      edited.addNode(
          Nodes.node("Cast", tap + "/floats", tap + "/rows")
              .addAttribute(Nodes.attribute("to", TensorProto.DataType.FLOAT.getNumber())));
      edited.addNode(Nodes.node("MatMul", tap, tap + "/floats", OnnxGraph.MARKS));
      all.addInput(tap);
    }
    edited.addNode(all);
    edited.addNode(Nodes.node("Reshape", OnnxGraph.ATTENTION_MASS, "tap/all", "tap/shape"));
    edited.addOutput(
        Nodes.value(
            OnnxGraph.ATTENTION_MASS, TensorProto.DataType.FLOAT, "batch", "heads", "sums"));
    return graph.with(graph.model().toBuilder().setGraph(Nodes.pruned(edited)).build());
  }
}
