package org.semanticbm25.onnx.testing;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.semanticbm25.onnx.graph.Nodes;
import org.semanticbm25.onnx.graph.Tensors;

/**
 * A random BERT cross-encoder of any size for tests and benchmarks: its weights by name, and an
 * ONNX graph with the nodes of a Hugging Face export. {@link BertOracle} computes what it should
 * give.
 *
 * <p>Weights are drawn so that attention is far from uniform and logits differ between pairs.
 */
public final class TinyBert {
  private static final int OPSET = 14;

  final Shape shape;
  public final Map<String, float[]> weights = new LinkedHashMap<>();
  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("bert");

  /**
   * Sizes of a model.
   *
   * @param width of the layer between
   */
  public record Shape(int vocabulary, int positions, int layers, int hidden, int heads, int width) {
    /** The size of MiniLM-L6. */
    public static final Shape MINILM_L6 = new Shape(30_522, 512, 6, 384, 12, 1536);

    int headWidth() {
      return hidden / heads;
    }
  }

  /** Makes the weights. */
  public TinyBert(Shape shape, long seed) {
    this.shape = shape;
    Random random = new Random(seed);
    int hidden = shape.hidden();
    float spread = (float) (1.5 / Math.sqrt(hidden));
    draw("embeddings.word_embeddings.weight", shape.vocabulary() * hidden, 1f, 0f, random);
    draw("embeddings.position_embeddings.weight", shape.positions() * hidden, 0.2f, 0f, random);
    draw("embeddings.token_type_embeddings.weight", 2 * hidden, 0.2f, 0f, random);
    norm("embeddings.LayerNorm", random);
    for (int layer = 0; layer < shape.layers(); layer++) {
      String name = "encoder.layer." + layer;
      for (String part : new String[] {"query", "key", "value"}) {
        dense(name + ".attention.self." + part, hidden, hidden, spread, random);
      }
      dense(name + ".attention.output.dense", hidden, hidden, spread, random);
      norm(name + ".attention.output.LayerNorm", random);
      dense(name + ".intermediate.dense", hidden, shape.width(), spread, random);
      dense(name + ".output.dense", shape.width(), hidden, spread, random);
      norm(name + ".output.LayerNorm", random);
    }
    dense("pooler.dense", hidden, hidden, spread, random);
    dense("classifier", hidden, 1, 1f, random);
  }

  private void dense(String name, int in, int out, float spread, Random random) {
    draw(name + ".weight", in * out, spread, 0f, random);
    draw(name + ".bias", out, 0.1f, 0f, random);
  }

  private void norm(String name, Random random) {
    draw(name + ".weight", shape.hidden(), 0.1f, 1f, random);
    draw(name + ".bias", shape.hidden(), 0.1f, 0f, random);
  }

  private void draw(String name, int size, float spread, float mean, Random random) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = mean + spread * (float) random.nextGaussian();
    }
    weights.put(name, values);
  }

  /** Writes {@code model.onnx}, beside the tokenizer that is there or will be. */
  public void write(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.write(folder.resolve("model.onnx"), onnx(true).toByteArray());
  }

  /** The graph, with or without an input for token types. */
  public ModelProto onnx(boolean tokenTypes) {
    String states = begin(tokenTypes);
    graph.addOutput(Nodes.value("logits", TensorProto.DataType.FLOAT, "batch_size", 1));
    add("Gather", "/bert/pooler/first", states, "zero").addAttribute(Nodes.attribute("axis", 1));
    gemm("/bert/pooler/dense", "pooler.dense", "/bert/pooler/first", shape.hidden());
    add("Tanh", "/bert/pooler/tanh", "/bert/pooler/dense");
    gemm("logits", "classifier", "/bert/pooler/tanh", 1);
    return model();
  }

  /**
   * The graph of an encoder of soft terms with the same layers: unit vectors and gates of tokens.
   * Adds its weights {@code passage} and {@code gate}.
   */
  public ModelProto softTerms(int dimensions, Random random) {
    draw("passage.weight", shape.hidden() * dimensions, 1f, 0f, random);
    draw("passage.bias", dimensions, 0.1f, 0f, random);
    dense("gate", shape.hidden(), 1, 0.3f, random);
    String states = begin(false);
    TensorProto.DataType type = TensorProto.DataType.FLOAT;
    graph.addOutput(Nodes.value("vectors", type, "batch_size", "sequence_length", dimensions));
    graph.addOutput(Nodes.value("gates", type, "batch_size", "sequence_length"));
    add("LpNormalization", "vectors", dense("/passage", "passage", states, dimensions));
    add("Softplus", "/gate/soft", dense("/gate", "gate", states, 1));
    add("Squeeze", "gates", "/gate/soft", "last");
    return model();
  }

  /** Inputs, constants and layers; returns the last states. */
  private String begin(boolean tokenTypes) {
    graph.clear().setName("bert");
    input("input_ids");
    input("attention_mask");
    if (tokenTypes) {
      input("token_type_ids");
    }
    constants();
    String states = embeddings(tokenTypes);
    for (int layer = 0; layer < shape.layers(); layer++) {
      states = layer("/bert/encoder/layer." + layer, "encoder.layer." + layer, states);
    }
    return states;
  }

  private ModelProto model() {
    return ModelProto.newBuilder()
        .setIrVersion(7)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(OPSET))
        .setGraph(graph)
        .build();
  }

  private void input(String name) {
    graph.addInput(Nodes.value(name, TensorProto.DataType.INT64, "batch_size", "sequence_length"));
  }

  private void constants() {
    graph.addInitializer(Tensors.longs("zero", new long[] {0}));
    graph.addInitializer(Tensors.longs("zeros", new long[] {0}, 1));
    graph.addInitializer(Tensors.longs("one", new long[] {1}));
    graph.addInitializer(Tensors.longs("axis1", new long[] {1}, 1));
    graph.addInitializer(Tensors.longs("axes12", new long[] {1, 2}, 2));
    graph.addInitializer(Tensors.longs("last", new long[] {-1}, 1));
    graph.addInitializer(
        Tensors.longs("split", new long[] {0, 0, shape.heads(), shape.headWidth()}, 4));
    graph.addInitializer(Tensors.longs("joined", new long[] {0, 0, shape.hidden()}, 3));
    long[] positions = new long[shape.positions()];
    for (int i = 0; i < positions.length; i++) {
      positions[i] = i;
    }
    graph.addInitializer(Tensors.longs("positions", positions, 1, shape.positions()));
    scalar("f.one", 1f);
    scalar("f.lowest", -10_000f);
    scalar("f.two", 2f);
    scalar("f.half", 0.5f);
    scalar("f.epsilon", 1e-12f);
    scalar("f.sqrt2", (float) Math.sqrt(2));
    scalar("f.sqrtd", (float) Math.sqrt(shape.headWidth()));
  }

  private void scalar(String name, float value) {
    graph.addInitializer(Tensors.floats(name, new float[] {value}));
  }

  private String embeddings(boolean tokenTypes) {
    int hidden = shape.hidden();
    String at = "/bert/embeddings/";
    matrix("embeddings.word_embeddings.weight", shape.vocabulary(), hidden);
    matrix("embeddings.position_embeddings.weight", shape.positions(), hidden);
    matrix("embeddings.token_type_embeddings.weight", 2, hidden);
    add("Gather", at + "words", "embeddings.word_embeddings.weight", "input_ids");
    add("Shape", at + "shape", "input_ids");
    add("Gather", at + "length", at + "shape", "one");
    add("Unsqueeze", at + "end", at + "length", "zeros");
    add("Slice", at + "position_ids", "positions", "zeros", at + "end", "axis1");
    add("Gather", at + "places", "embeddings.position_embeddings.weight", at + "position_ids");
    if (tokenTypes) {
      add("Gather", at + "types", "embeddings.token_type_embeddings.weight", "token_type_ids");
    } else {
      add("Gather", at + "types", "embeddings.token_type_embeddings.weight", "zero");
    }
    add("Add", at + "typed", at + "words", at + "types");
    add("Add", at + "placed", at + "typed", at + "places");
    add("Unsqueeze", "/bert/mask", "attention_mask", "axes12");
    cast("/bert/mask/float", "/bert/mask", TensorProto.DataType.FLOAT);
    add("Sub", "/bert/mask/inverse", "f.one", "/bert/mask/float");
    add("Mul", "/bert/mask/added", "/bert/mask/inverse", "f.lowest");
    return layerNorm(at + "LayerNorm", "embeddings.LayerNorm", at + "placed");
  }

  private String layer(String at, String weight, String states) {
    String self = at + "/attention/self/";
    String query = heads(self + "query", weight + ".attention.self.query", states, 0, 2, 1, 3);
    String key = heads(self + "key", weight + ".attention.self.key", states, 0, 2, 3, 1);
    String value = heads(self + "value", weight + ".attention.self.value", states, 0, 2, 1, 3);
    add("MatMul", self + "MatMul", query, key);
    add("Div", self + "Div", self + "MatMul", "f.sqrtd");
    add("Add", self + "Add", self + "Div", "/bert/mask/added");
    add("Softmax", self + "Softmax", self + "Add").addAttribute(Nodes.attribute("axis", -1));
    add("MatMul", self + "MatMul_1", self + "Softmax", value);
    transpose(self + "Transpose", self + "MatMul_1", 0, 2, 1, 3);
    add("Reshape", self + "Reshape", self + "Transpose", "joined");
    int hidden = shape.hidden();
    String output = weight + ".attention.output";
    String attended = residual(at + "/attention/output", output, self + "Reshape", states, hidden);
    String wide =
        dense(at + "/intermediate", weight + ".intermediate.dense", attended, shape.width());
    return residual(at + "/output", weight + ".output", gelu(wide), attended, hidden);
  }

  private String residual(String at, String weight, String input, String states, int out) {
    String dense = dense(at, weight + ".dense", input, out);
    add("Add", at + "/Add", dense, states);
    return layerNorm(at + "/LayerNorm", weight + ".LayerNorm", at + "/Add");
  }

  private String heads(String at, String weight, String states, long... order) {
    String dense = dense(at, weight, states, shape.hidden());
    add("Reshape", at + "/Reshape", dense, "split");
    transpose(at + "/Transpose", at + "/Reshape", order);
    return at + "/Transpose";
  }

  private String dense(String at, String weight, String input, int out) {
    matrix(weight + ".weight", weights.get(weight + ".weight").length / out, out);
    vector(weight + ".bias");
    add("MatMul", at + "/MatMul", input, weight + ".weight");
    add("Add", at + "/bias", weight + ".bias", at + "/MatMul");
    return at + "/bias";
  }

  private void gemm(String output, String weight, String input, int out) {
    matrix(weight + ".weight", weights.get(weight + ".weight").length / out, out);
    vector(weight + ".bias");
    add("Gemm", output, input, weight + ".weight", weight + ".bias");
  }

  private String gelu(String x) {
    add("Div", x + "/scaled", x, "f.sqrt2");
    add("Erf", x + "/erf", x + "/scaled");
    add("Add", x + "/shifted", x + "/erf", "f.one");
    add("Mul", x + "/product", x, x + "/shifted");
    add("Mul", x + "/gelu", x + "/product", "f.half");
    return x + "/gelu";
  }

  private String layerNorm(String at, String weight, String x) {
    vector(weight + ".weight");
    vector(weight + ".bias");
    mean(at + "/mean", x);
    add("Sub", at + "/centred", x, at + "/mean");
    add("Pow", at + "/squared", at + "/centred", "f.two");
    mean(at + "/variance", at + "/squared");
    add("Add", at + "/safe", at + "/variance", "f.epsilon");
    add("Sqrt", at + "/deviation", at + "/safe");
    add("Div", at + "/normal", at + "/centred", at + "/deviation");
    add("Mul", at + "/scaled", at + "/normal", weight + ".weight");
    add("Add", at, at + "/scaled", weight + ".bias");
    return at;
  }

  private void mean(String output, String x) {
    add("ReduceMean", output, x).addAttribute(Nodes.attribute("axes", new long[] {-1}));
  }

  private void transpose(String output, String input, long... order) {
    add("Transpose", output, input).addAttribute(Nodes.attribute("perm", order));
  }

  private void cast(String output, String input, TensorProto.DataType type) {
    add("Cast", output, input).addAttribute(Nodes.attribute("to", type.getNumber()));
  }

  private NodeProto.Builder add(String type, String output, String... inputs) {
    return graph.addNodeBuilder().mergeFrom(Nodes.node(type, output, inputs).build());
  }

  private void matrix(String name, int rows, int columns) {
    graph.addInitializer(Tensors.floats(name, weights.get(name), rows, columns));
  }

  private void vector(String name) {
    graph.addInitializer(Tensors.floats(name, weights.get(name), weights.get(name).length));
  }
}
