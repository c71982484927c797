package org.semanticbm25.onnx.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Spares what no one reads: a cross-encoder takes its logit from {@code [CLS]} alone, so that in
 * the last layer only {@code [CLS]} needs to attend, and only its state needs to go on. The logit
 * stays the same.
 *
 * <p>The rows are cut where the last layer's queries meet its keys, and where the layer's input is
 * added to what attention gave. A graph that does anything unforeseen between there and the choice
 * of the first token is left as it is.
 */
public final class FirstTokenOnly {
  private static final Set<String> BETWEEN_PRODUCT_AND_SOFTMAX =
      Set.of("Add", "Div", "Mul", "Cast", "Identity");
  // keep a mask's shape at [batch, 1, 1, tokens]
  private static final Set<String> MASK_OPERATORS =
      Set.of("Unsqueeze", "Cast", "Sub", "Mul", "Identity");

  private final OnnxGraph graph;
  // values that will hold the first token only
  private final Set<String> first = new HashSet<>();
  private @Nullable String residual;

  private FirstTokenOnly(OnnxGraph graph) {
    this.graph = graph;
  }

  /**
   * Computes the last layer for the first token only, if that is all that the outputs need.
   *
   * @param graph of a cross-encoder
   * @return the same graph if its last layer is not of the usual form
   */
  public static OnnxGraph apply(OnnxGraph graph) {
    List<NodeProto> attention = graph.attention();
    return attention.isEmpty()
        ? graph
        : new FirstTokenOnly(graph).edit(attention.getLast()).map(graph::with).orElse(graph);
  }

  /**
   * Whether something takes the first token's state, as a cross-encoder's pooler does.
   *
   * @param graph of an encoder or a cross-encoder
   * @return false of an encoder without a pooler
   */
  public static boolean isChosen(OnnxGraph graph) {
    return graph.model().getGraph().getNodeList().stream()
        .anyMatch(node -> choosesFirstToken(graph, node));
  }

  /** The edited model; empty if its last layer is not understood. */
  private Optional<ModelProto> edit(NodeProto softmax) {
    List<NodeProto> nodes = graph.model().getGraph().getNodeList();
    Optional<NodeProto> product = product(softmax.getInput(0));
    if (product.isEmpty()
        || nodes.stream().anyMatch(Nodes::hasGraphs)
        || !follow(product.get())
        || residual == null) {
      return Optional.empty();
    }
    GraphProto original = graph.model().getGraph();
    GraphProto.Builder edited = original.toBuilder().clearNode();
    edited.addInitializer(Tensors.longs("first/zero", new long[] {0}, 1));
    edited.addInitializer(Tensors.longs("first/one", new long[] {1}, 1));
    edited.addInitializer(Tensors.longs("first/two", new long[] {2}, 1));
    for (NodeProto node : original.getNodeList()) {
      if (node.equals(product.get())) {
        edited.addNode(slice(node.getInput(0), "first/two"));
        edited.addNode(reading(node, node.getInput(0)));
      } else if (node.getInputList().contains(residual) && first.contains(node.getOutput(0))) {
        edited.addNode(slice(residual, "first/one"));
        edited.addNode(reading(node, residual));
      } else {
        edited.addNode(node);
      }
    }
    return Optional.of(graph.model().toBuilder().setGraph(edited).build());
  }

  /** The product of queries and keys that a softmax is taken of. */
  private Optional<NodeProto> product(String value) {
    Optional<NodeProto> producer = graph.producer(value);
    if (producer.isEmpty()) {
      return Optional.empty();
    }
    NodeProto node = producer.get();
    if (node.getOpType().equals("MatMul")) {
      return computed(node).size() == 2 ? producer : Optional.empty();
    }
    if (!BETWEEN_PRODUCT_AND_SOFTMAX.contains(node.getOpType())) {
      return Optional.empty();
    }
    return node.getInputList().stream().flatMap(input -> product(input).stream()).findFirst();
  }

  /** Follows the first token from the product to where it is chosen; false if that is not clear. */
  private boolean follow(NodeProto product) {
    first.add(product.getOutput(0));
    boolean chosen = false;
    for (NodeProto node : graph.model().getGraph().getNodeList()) {
      if (node.getInputList().stream().noneMatch(first::contains)) {
        continue;
      }
      if (choosesFirstToken(graph, node)) {
        chosen = true;
      } else if (isUnderstood(node)) {
        first.addAll(node.getOutputList());
      } else {
        return false;
      }
    }
    return chosen && graph.outputs().stream().noneMatch(first::contains);
  }

  /** Whether a node takes the state of {@code [CLS]} out of the states of all tokens. */
  static boolean choosesFirstToken(OnnxGraph graph, NodeProto node) {
    return node.getOpType().equals("Gather")
        && node.getAttributeList().stream()
            .anyMatch(a -> a.getName().equals("axis") && a.getI() == 1)
        && graph.weight(node.getInput(1)).filter(FirstTokenOnly::isZero).isPresent();
  }

  private static boolean isZero(TensorProto index) {
    return index.getInt64DataCount() == 1
        ? index.getInt64Data(0) == 0
        : index.getRawData().size() == Long.BYTES
            && index.getRawData().asReadOnlyByteBuffer().getLong() == 0;
  }

  private boolean isUnderstood(NodeProto node) {
    List<String> others = new ArrayList<>(computed(node));
    others.removeAll(first);
    // one scale for all tokens would become another one
    if (node.getOpType().equals("DynamicQuantizeLinear")) {
      return false;
    }
    if (others.isEmpty()) {
      return true;
    }
    boolean weighsValues = node.getOpType().equals("MatMul") && first.contains(node.getInput(0));
    if (weighsValues || (node.getOpType().equals("Add") && isMask(others.getFirst()))) {
      return true;
    }
    if (node.getOpType().equals("Add") && residual == null) {
      residual = others.getFirst();
      return true;
    }
    return false;
  }

  /** Inputs that are no weights. */
  private List<String> computed(NodeProto node) {
    return node.getInputList().stream()
        .filter(input -> !input.isEmpty() && graph.weight(input).isEmpty())
        .toList();
  }

  private boolean isMask(String value) {
    return value.equals(OnnxGraph.ATTENTION_MASK)
        || graph
            .producer(value)
            .filter(node -> MASK_OPERATORS.contains(node.getOpType()))
            .filter(node -> computed(node).stream().allMatch(this::isMask))
            .isPresent();
  }

  private static NodeProto slice(String value, String axis) {
    return Nodes.node("Slice", value + "/first", value, "first/zero", "first/one", axis).build();
  }

  private static NodeProto reading(NodeProto node, String value) {
    NodeProto.Builder edited = node.toBuilder();
    for (int i = 0; i < node.getInputCount(); i++) {
      if (node.getInput(i).equals(value)) {
        edited.setInput(i, value + "/first");
      }
    }
    return edited.build();
  }
}
