package org.semanticbm25.onnx.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.io.IOException;
import java.util.List;

/**
 * Lets a graph add a vector to the embedding of one token, wherever the token stands, at each run:
 * what {@link WordEmbeddings#replace} would give, without another graph for each edit and without
 * rounding to bytes.
 */
public final class EmbeddingShift {
  /** The token whose embedding is shifted, {@code [1]}. */
  public static final String TOKEN = "shifted_token";

  /** What is added, float {@code [hidden]}. */
  public static final String SHIFT = "shift";

  private EmbeddingShift() {}

  /**
   * Adds the inputs {@value #TOKEN} and {@value #SHIFT}.
   *
   * @param graph of a BERT-family model whose embeddings are floats, or bytes that become floats
   * @return a graph that with a shift of zeros gives what it gave before
   * @throws IOException if it has no word embeddings, or in half precision
   */
  public static OnnxGraph apply(OnnxGraph graph) throws IOException {
    NodeProto gather = WordEmbeddings.gather(graph);
    if (WordEmbeddings.table(graph, gather).orElseThrow().getDataType()
        == DataType.FLOAT16.getNumber()) {
      throw new IOException(
          graph.source() + ": word embeddings in half precision; give a float or int8 model");
    }
    NodeProto last =
        graph.consumers(gather.getOutput(0)).stream()
            .filter(node -> node.getOpType().equals("DequantizeLinear"))
            .findFirst()
            .orElse(gather);
    GraphProto original = graph.model().getGraph();
    GraphProto.Builder edited = original.toBuilder().clearNode();
    edited.addInput(Nodes.value(TOKEN, DataType.INT64, 1));
    edited.addInput(Nodes.value(SHIFT, DataType.FLOAT, "hidden"));
    edited.addInitializer(Tensors.longs("shift/shape", new long[] {0, 0, 1}, 3));
    for (NodeProto node : original.getNodeList()) {
      edited.addNode(reading(node, last.getOutput(0)));
      if (node.equals(last)) {
        edited.addAllNode(shift(gather.getInput(1), last.getOutput(0)));
      }
    }
    return graph.with(graph.model().toBuilder().setGraph(edited).build());
  }

  private static List<NodeProto> shift(String ids, String embeddings) {
    return List.of(
        cast("shift/ids", ids, DataType.INT64),
        Nodes.node("Equal", "shift/is", "shift/ids", TOKEN).build(),
        cast("shift/floats", "shift/is", DataType.FLOAT),
        Nodes.node("Reshape", "shift/column", "shift/floats", "shift/shape").build(),
        Nodes.node("Mul", "shift/rows", "shift/column", SHIFT).build(),
        Nodes.node("Add", "shift/embeddings", embeddings, "shift/rows").build());
  }

  private static NodeProto cast(String output, String input, DataType type) {
    return Nodes.node("Cast", output, input)
        .addAttribute(Nodes.attribute("to", type.getNumber()))
        .build();
  }

  private static NodeProto reading(NodeProto node, String embeddings) {
    NodeProto.Builder edited = node.toBuilder();
    for (int i = 0; i < node.getInputCount(); i++) {
      if (node.getInput(i).equals(embeddings)) {
        edited.setInput(i, "shift/embeddings");
      }
    }
    return edited.build();
  }
}
