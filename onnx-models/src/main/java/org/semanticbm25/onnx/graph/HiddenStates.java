package org.semanticbm25.onnx.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Makes hidden states the output of a graph. */
public final class HiddenStates {
  private static final String LAST_STATES = "last_states";

  private HiddenStates() {}

  /**
   * Keeps what leads to the last hidden states and makes them the only output, {@code [batch,
   * tokens, hidden]}: the states of which a pooler or classifier takes the first, or the mean.
   *
   * @param graph of an encoder or a cross-encoder
   * @return the given graph if nothing pools tokens, as in an encoder without a pooler
   */
  public static OnnxGraph last(OnnxGraph graph) {
    return graph.model().getGraph().getNodeList().stream()
        .flatMap(node -> pooled(graph, node).stream())
        .map(states -> withOutput(graph, states))
        .findFirst()
        .orElse(graph);
  }

  /** The states that a node pools, if it does: it takes the first, or sums up masked ones. */
  private static Optional<String> pooled(OnnxGraph graph, NodeProto node) {
    if (FirstTokenOnly.choosesFirstToken(graph, node)) {
      return Optional.of(node.getInput(0));
    }
    if (!node.getOpType().equals("ReduceSum")) {
      return Optional.empty();
    }
    return graph
        .producer(node.getInput(0))
        .filter(product -> product.getOpType().equals("Mul"))
        .filter(
            product ->
                product.getInputList().stream()
                    .anyMatch(input -> graph.reads(input, OnnxGraph.ATTENTION_MASK)))
        .flatMap(
            product ->
                product.getInputList().stream()
                    .filter(input -> !graph.reads(input, OnnxGraph.ATTENTION_MASK))
                    .findFirst());
  }

  /**
   * Keeps what leads to the states after the first layers and makes them the only output, {@code
   * [batch, tokens, hidden]}.
   *
   * @param graph of an encoder or a cross-encoder
   * @param layers to run, at least 1
   * @return for all layers, what {@link #last} returns; else a graph without the later layers
   * @throws IOException if the graph has no attention that can be looked into, or is of another
   *     form
   * @throws IllegalArgumentException if there are not that many layers
   */
  public static OnnxGraph after(OnnxGraph graph, int layers) throws IOException {
    List<NodeProto> attention = graph.layersOrThrow();
    if (layers < 1 || layers > attention.size()) {
      throw new IllegalArgumentException(
          "%s: has %s layers, no states after layer %s; give 1 to %s"
              .formatted(graph.source(), attention.size(), layers, attention.size()));
    }
    return layers == attention.size()
        ? last(graph)
        : withOutput(graph, input(graph, attention.get(layers)));
  }

  /** The states that go into a layer: what is added to that which its attention gives. */
  private static String input(OnnxGraph graph, NodeProto softmax) throws IOException {
    Set<String> after = new HashSet<>(softmax.getOutputList());
    for (NodeProto node : graph.model().getGraph().getNodeList()) {
      if (node.getInputList().stream().anyMatch(after::contains)) {
        Optional<String> added =
            node.getInputList().stream()
                .filter(input -> node.getOpType().equals("Add"))
                .filter(input -> !after.contains(input) && !isConstant(graph, input))
                .findFirst();
        if (added.isPresent()) {
          return added.get();
        }
        after.addAll(node.getOutputList());
      }
    }
    throw new IOException(
        graph.source()
            + ": nothing is added to what attention gives; give a plain export of a BERT-family"
            + " model");
  }

  /** Whether a value is a weight, or made of one alone. */
  private static boolean isConstant(OnnxGraph graph, String value) {
    return graph.weight(value).isPresent()
        || graph
            .producer(value)
            .filter(node -> node.getInputList().stream().allMatch(i -> graph.weight(i).isPresent()))
            .isPresent();
  }

  private static OnnxGraph withOutput(OnnxGraph graph, String states) {
    GraphProto.Builder edited =
        graph.model().getGraph().toBuilder()
            // half-precision models
            .addNode(
                Nodes.node("Cast", LAST_STATES, states)
                    .addAttribute(Nodes.attribute("to", TensorProto.DataType.FLOAT.getNumber())))
            .clearOutput()
            .addOutput(
                Nodes.value(LAST_STATES, TensorProto.DataType.FLOAT, "batch", "tokens", "hidden"));
    return graph.with(graph.model().toBuilder().setGraph(Nodes.pruned(edited)).build());
  }
}
