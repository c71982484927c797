package org.semanticbm25.onnx.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Gives a graph the inputs and outputs that scoring works with: {@code input_ids}, {@code
 * attention_mask} and {@code token_type_ids} as 64-bit integers, float outputs, and no {@code
 * position_ids}, which are 0, 1, … for every row.
 */
public final class ScoringForm {
  private static final String POSITION_IDS = "position_ids";
  private static final Set<String> TOKENS =
      Set.of(OnnxGraph.INPUT_IDS, OnnxGraph.ATTENTION_MASK, OnnxGraph.TOKEN_TYPE_IDS);

  private final GraphProto.Builder graph;
  private final List<NodeProto> before = new ArrayList<>();
  private final List<NodeProto> after = new ArrayList<>();
  // old name of a value to its new one
  private final Map<String, String> renamed = new TreeMap<>();

  private ScoringForm(GraphProto graph) {
    this.graph = graph.toBuilder();
  }

  /**
   * Puts casts around a graph where it needs them, and makes position ids inside it.
   *
   * @param source of any types
   * @return the same graph if it has the form already
   */
  public static OnnxGraph apply(OnnxGraph source) {
    ScoringForm form = new ScoringForm(source.model().getGraph());
    form.inputs();
    form.outputs();
    if (form.renamed.isEmpty()) {
      return source;
    }
    form.rewire();
    return source.with(source.model().toBuilder().setGraph(form.graph).build());
  }

  private void inputs() {
    for (int i = graph.getInputCount() - 1; i >= 0; i--) {
      ValueInfoProto input = graph.getInput(i);
      DataType type = type(input);
      if (input.getName().equals(POSITION_IDS)) {
        graph.removeInput(i);
        makePositions(type);
      } else if (TOKENS.contains(input.getName()) && type != DataType.INT64) {
        graph.setInput(i, with(input, DataType.INT64));
        before.add(cast(rename(input.getName()), input.getName(), type));
      }
    }
  }

  private void makePositions(DataType type) {
    String name = rename(POSITION_IDS);
    graph.addInitializer(scalar(name + "/zero", 0));
    graph.addInitializer(scalar(name + "/one", 1));
    // the ids themselves, perhaps cast: only their shape counts
    before.add(Nodes.node("Shape", name + "/shape", OnnxGraph.INPUT_IDS).build());
    before.add(Nodes.node("Gather", name + "/tokens", name + "/shape", name + "/one").build());
    before.add(
        Nodes.node("Range", name + "/row", name + "/zero", name + "/tokens", name + "/one")
            .build());
    before.add(Nodes.node("Expand", name + "/rows", name + "/row", name + "/shape").build());
    before.add(cast(name, name + "/rows", type));
  }

  private void outputs() {
    for (int i = 0; i < graph.getOutputCount(); i++) {
      ValueInfoProto output = graph.getOutput(i);
      if (type(output) == DataType.FLOAT16) {
        graph.setOutput(i, with(output, DataType.FLOAT));
        after.add(cast(output.getName(), rename(output.getName()), DataType.FLOAT));
      }
    }
  }

  /** A new name for what the graph's own nodes call by the old one. */
  private String rename(String name) {
    renamed.put(name, "scoring/" + name);
    return "scoring/" + name;
  }

  private void rewire() {
    List<NodeProto> nodes = new ArrayList<>(before);
    for (NodeProto node : graph.getNodeList()) {
      NodeProto.Builder edited = node.toBuilder();
      for (int i = 0; i < node.getInputCount(); i++) {
        edited.setInput(i, renamed.getOrDefault(node.getInput(i), node.getInput(i)));
      }
      for (int i = 0; i < node.getOutputCount(); i++) {
        edited.setOutput(i, renamed.getOrDefault(node.getOutput(i), node.getOutput(i)));
      }
      nodes.add(edited.build());
    }
    nodes.addAll(after);
    graph.clearNode().addAllNode(nodes);
  }

  private static NodeProto cast(String output, String input, DataType type) {
    return Nodes.node("Cast", output, input)
        .addAttribute(Nodes.attribute("to", type.getNumber()))
        .build();
  }

  private static TensorProto scalar(String name, long value) {
    return TensorProto.newBuilder()
        .setName(name)
        .setDataType(DataType.INT64.getNumber())
        .addInt64Data(value)
        .build();
  }

  private static DataType type(ValueInfoProto value) {
    return DataType.forNumber(value.getType().getTensorType().getElemType());
  }

  private static ValueInfoProto with(ValueInfoProto value, DataType type) {
    TypeProto.Builder edited = value.getType().toBuilder();
    edited.getTensorTypeBuilder().setElemType(type.getNumber());
    return value.toBuilder().setType(edited).build();
  }
}
