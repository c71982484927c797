package org.semanticbm25.onnx.graph;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Finds, reads and edits the word-embedding matrix of a BERT-family ONNX graph.
 *
 * <p>The matrix is recognised by what it does and not by its name: it is the table of the {@code
 * Gather} whose indices come from the input {@code input_ids}. Weights may be float, half, or 8-bit
 * integers that a {@code DequantizeLinear} turns into floats before or after the gathering, as
 * dynamic quantisation leaves them.
 */
public final class WordEmbeddings {
  private final OnnxGraph graph;

  private WordEmbeddings(OnnxGraph graph) {
    this.graph = graph;
  }

  /**
   * Reads the matrix, {@code [vocabulary][hidden]}.
   *
   * @param onnx a BERT-family model with its weights
   * @return a row for each token id, with rows of padding if the model has them
   * @throws IOException if the file is not an ONNX model or has no such matrix
   */
  public static float[][] read(Path onnx) throws IOException {
    return read(OnnxGraph.read(onnx));
  }

  /**
   * Reads the matrix of a graph, {@code [vocabulary][hidden]}.
   *
   * @param graph of a BERT-family model
   * @return a row for each token id, with rows of padding if the model has them
   * @throws IOException if it has no such matrix, or one of a type that cannot be read
   */
  public static float[][] read(OnnxGraph graph) throws IOException {
    WordEmbeddings embeddings = new WordEmbeddings(graph);
    NodeProto gather = gather(graph);
    return embeddings.rows(gather);
  }

  /**
   * Number of word embeddings, if they can be found.
   *
   * @param graph of a BERT-family model
   * @return rows of the matrix; empty if an optimiser has hidden it
   */
  public static OptionalInt count(OnnxGraph graph) {
    return find(graph).stream()
        .mapToInt(node -> (int) table(graph, node).orElseThrow().getDims(0))
        .findFirst();
  }

  /** The {@code Gather} that looks words up. */
  static NodeProto gather(OnnxGraph graph) throws IOException {
    return find(graph)
        .orElseThrow(
            () ->
                new IOException(
                    graph.source()
                        + ": no word embeddings: no Gather over '"
                        + OnnxGraph.INPUT_IDS
                        + "' found; give a plain export of a BERT-family model, not an"
                        + " optimiser-fused one"));
  }

  private static Optional<NodeProto> find(OnnxGraph graph) {
    return graph.model().getGraph().getNodeList().stream()
        .filter(node -> node.getOpType().equals("Gather"))
        .filter(node -> graph.reads(node.getInput(1), OnnxGraph.INPUT_IDS))
        .filter(node -> table(graph, node).filter(t -> t.getDimsCount() == 2).isPresent())
        .max(Comparator.comparingLong(node -> table(graph, node).orElseThrow().getDims(0)));
  }

  /** What a {@code Gather} takes its rows from, perhaps through a {@code DequantizeLinear}. */
  static Optional<TensorProto> table(OnnxGraph graph, NodeProto gather) {
    return graph.weight(tableName(graph, gather));
  }

  private static String tableName(OnnxGraph graph, NodeProto gather) {
    String name = gather.getInput(0);
    return graph.weight(name).isPresent()
        ? name
        : graph
            .producer(name)
            .filter(node -> node.getOpType().equals("DequantizeLinear"))
            .map(node -> node.getInput(0))
            .orElse(name);
  }

  /**
   * The same graph with other embeddings of some tokens, in the type that the matrix has: bytes are
   * rounded to its scale. What else the graph takes from the matrix changes with it.
   *
   * @param graph of a BERT-family model
   * @param rows by token id
   * @return a graph whose other embeddings are the same to the bit
   * @throws IOException if it has no such matrix, one of a type that cannot be read, or one of
   *     bytes whose range the new embeddings are out of
   */
  public static OnnxGraph replace(OnnxGraph graph, Map<Integer, float[]> rows) throws IOException {
    WordEmbeddings embeddings = new WordEmbeddings(graph);
    NodeProto gather = gather(graph);
    Scale scale = embeddings.scale(gather);
    TensorProto table = table(graph, gather).orElseThrow();
    float[] values = graph.decode(table);
    int width = (int) table.getDims(1);
    rows.forEach(
        (id, row) -> {
          for (int d = 0; d < width; d++) {
            values[id * width + d] = row[d] / scale.unit + scale.zero;
          }
        });
    TensorProto replaced = Tensors.encode(graph.source(), table, values);
    return graph.with(Nodes.replaced(graph.model(), tableName(graph, gather), replaced));
  }

  /** How stored numbers become floats. */
  private record Scale(float unit, float zero) {}

  private Scale scale(NodeProto gather) throws IOException {
    Optional<NodeProto> dequantize =
        graph
            .producer(gather.getInput(0))
            .or(() -> graph.consumers(gather.getOutput(0)).stream().findFirst())
            .filter(node -> node.getOpType().equals("DequantizeLinear"));
    return dequantize.isEmpty()
        ? new Scale(1, 0)
        : new Scale(
            scalar(dequantize.get(), 1),
            dequantize.get().getInputCount() > 2 ? scalar(dequantize.get(), 2) : 0);
  }

  private float[][] rows(NodeProto gather) throws IOException {
    Scale scale = scale(gather);
    TensorProto table = table(graph, gather).orElseThrow();
    float[] values = graph.decode(table);
    int width = (int) table.getDims(1);
    float[][] rows = new float[(int) table.getDims(0)][width];
    for (int i = 0; i < values.length; i++) {
      rows[i / width][i % width] = (values[i] - scale.zero) * scale.unit;
    }
    return rows;
  }

  private float scalar(NodeProto node, int input) throws IOException {
    String name = node.getInput(input);
    TensorProto tensor =
        graph
            .weight(name)
            .orElseThrow(
                () ->
                    new IOException(
                        graph.source()
                            + ": '"
                            + node.getName()
                            + "' has no constant '"
                            + name
                            + "'"));
    float[] values = graph.decode(tensor);
    if (values.length != 1) {
      throw new IOException(
          "%s: '%s' holds %s numbers, not one for all word embeddings; fetch the model again"
              .formatted(graph.source(), name, values.length));
    }
    return values[0];
  }
}
