package org.semanticbm25.onnx.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Builds parts of ONNX graphs, and takes away those that nothing needs. */
public final class Nodes {
  private Nodes() {}

  /**
   * A node named after its only output.
   *
   * @param type name of an ONNX operator
   * @param output name of the output, and of the node
   * @param inputs names of values, in the order of the operator
   * @return a node without attributes
   */
  public static NodeProto.Builder node(String type, String output, String... inputs) {
    return NodeProto.newBuilder()
        .setOpType(type)
        .setName(output)
        .addAllInput(List.of(inputs))
        .addOutput(output);
  }

  /**
   * An attribute of a node with one integer.
   *
   * @param name as the operator has it
   * @param value of the attribute
   * @return an attribute of type {@code INT}
   */
  public static AttributeProto attribute(String name, long value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.INT)
        .setI(value)
        .build();
  }

  /**
   * An attribute of a node with a list of integers.
   *
   * @param name as the operator has it
   * @param values of the attribute, in their order; copied
   * @return an attribute of type {@code INTS}
   */
  public static AttributeProto attribute(String name, long[] values) {
    AttributeProto.Builder attribute =
        AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INTS);
    for (long value : values) {
      attribute.addInts(value);
    }
    return attribute.build();
  }

  /**
   * A graph's input or output; a dimension is a number, or the name of a free one.
   *
   * @param name of the value in the graph
   * @param type of its elements
   * @param dimensions {@code Integer}s for fixed ones; of any other object, its text is the name
   * @return a tensor of that type and shape
   */
  public static ValueInfoProto value(String name, TensorProto.DataType type, Object... dimensions) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (Object dimension : dimensions) {
      if (dimension instanceof Integer size) {
        shape.addDimBuilder().setDimValue(size);
      } else {
        shape.addDimBuilder().setDimParam(dimension.toString());
      }
    }
    TypeProto.Tensor tensor =
        TypeProto.Tensor.newBuilder().setElemType(type.getNumber()).setShape(shape).build();
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(TypeProto.newBuilder().setTensorType(tensor))
        .build();
  }

  /** What a node reads: its inputs, and those of the graphs that are part of it. */
  private static List<String> reads(NodeProto node) {
    List<String> names = new ArrayList<>(node.getInputList());
    for (AttributeProto attribute : node.getAttributeList()) {
      attribute.getG().getNodeList().forEach(inner -> names.addAll(reads(inner)));
      attribute.getG().getOutputList().forEach(output -> names.add(output.getName()));
    }
    return names;
  }

  /** Whether a node is made of graphs, as {@code If} is. */
  static boolean hasGraphs(NodeProto node) {
    return node.getAttributeList().stream()
        .anyMatch(attribute -> attribute.getType() == AttributeProto.AttributeType.GRAPH);
  }

  /** The model with another tensor in place of a weight, an initializer or a constant. */
  static ModelProto replaced(ModelProto model, String name, TensorProto other) {
    ModelProto.Builder edited = model.toBuilder();
    GraphProto.Builder graph = edited.getGraphBuilder();
    for (int i = 0; i < graph.getInitializerCount(); i++) {
      if (graph.getInitializer(i).getName().equals(name)) {
        graph.setInitializer(i, other);
      }
    }
    for (NodeProto.Builder node : graph.getNodeBuilderList()) {
      if (node.getOpType().equals("Constant") && node.getOutput(0).equals(name)) {
        node.getAttributeBuilder(0).setT(other);
      }
    }
    return edited.build();
  }

  /** The graph without nodes, weights and inputs that no output depends on. */
  static GraphProto pruned(GraphProto.Builder graph) {
    Set<String> needed = new HashSet<>();
    graph.getOutputList().forEach(output -> needed.add(output.getName()));
    List<NodeProto> kept = new ArrayList<>();
    for (int i = graph.getNodeCount() - 1; i >= 0; i--) {
      NodeProto node = graph.getNode(i);
      if (node.getOutputList().stream().anyMatch(needed::contains)) {
        needed.addAll(reads(node));
        kept.addFirst(node);
      }
    }
    return graph.build().toBuilder()
        .clearNode()
        .addAllNode(kept)
        .clearInitializer()
        .addAllInitializer(
            graph.getInitializerList().stream().filter(t -> needed.contains(t.getName())).toList())
        .clearInput()
        .addAllInput(
            graph.getInputList().stream().filter(v -> needed.contains(v.getName())).toList())
        .clearValueInfo()
        .build();
  }
}
