package org.semanticbm25.onnx.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.onnx.testing.TinyBert;

/** Rewritten graphs compute what the original ones do. */
class QuickFormTest {
  private static final float TOLERANCE = 1e-5f;
  private static final int LAYERS = 3;
  private static final TinyBert BERT =
      new TinyBert(new TinyBert.Shape(50, 32, LAYERS, 16, 2, 32), 7);
  private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();

  @TempDir Path folder;

  private static long count(OnnxGraph graph, String operator) {
    return graph.model().getGraph().getNodeList().stream()
        .filter(node -> node.getOpType().equals(operator))
        .count();
  }

  private static float[] run(OnnxGraph graph, Map<String, OnnxTensor> inputs) throws OrtException {
    try (OrtSession session = ENVIRONMENT.createSession(graph.bytes());
        OrtSession.Result result = session.run(inputs)) {
      FloatBuffer values = ((OnnxTensor) result.get(0)).getFloatBuffer();
      float[] copy = new float[values.remaining()];
      values.get(copy);
      return copy;
    }
  }

  private static Map<String, OnnxTensor> tokens() throws OrtException {
    Random random = new Random(1);
    long[] shape = {3, 9};
    Map<String, OnnxTensor> inputs = new HashMap<>();
    inputs.put("input_ids", longs(random.longs(27, 0, 50).toArray(), shape));
    inputs.put("attention_mask", longs(random.longs(27, 1, 2).toArray(), shape));
    inputs.put("token_type_ids", longs(random.longs(27, 0, 2).toArray(), shape));
    return inputs;
  }

  private static OnnxTensor longs(long[] values, long[] shape) throws OrtException {
    return OnnxTensor.createTensor(ENVIRONMENT, LongBuffer.wrap(values), shape);
  }

  private static void assertSame(OnnxGraph graph) throws IOException, OrtException {
    Map<String, OnnxTensor> inputs = tokens();
    assertArrayEquals(run(graph, inputs), run(QuickForm.apply(graph), inputs), TOLERANCE);
    inputs.values().forEach(OnnxTensor::close);
  }

  @Test
  void normsInManyOperators() throws IOException, OrtException {
    OnnxGraph graph = new OnnxGraph("test", BERT.onnx(true));
    OnnxGraph quick = QuickForm.apply(graph);
    assertEquals(1 + 2 * LAYERS, count(quick, "SimplifiedLayerNormalization"));
    assertEquals(0, count(quick, "Sqrt"));
    assertSame(graph);
  }

  @Test
  void integerProducts() throws IOException, OrtException {
    OnnxGraph graph = DynamicQuantization.apply(new OnnxGraph("test", BERT.onnx(true)));
    OnnxGraph quick = QuickForm.apply(graph);
    assertEquals(6 * LAYERS, count(graph, "MatMulInteger"));
    assertEquals(6 * LAYERS, count(quick, "MatMulIntegerToFloat"));
    assertEquals(0, count(quick, "MatMulInteger"));
    assertEquals(count(graph, "QuantizeLinear"), count(quick, "Flatten"));
    assertSame(graph);
  }

  /** The operators that the runtime makes of a graph. */
  private List<String> optimized(OnnxGraph graph) throws IOException, OrtException {
    Path file = folder.resolve("optimized.onnx");
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setOptimizedModelFilePath(file.toString());
      ENVIRONMENT.createSession(graph.bytes(), options).close();
    }
    return ModelProto.parseFrom(Files.readAllBytes(file)).getGraph().getNodeList().stream()
        .map(NodeProto::getOpType)
        .toList();
  }

  @Test
  void biasesOfGelu() throws IOException, OrtException {
    OnnxGraph graph = new OnnxGraph("test", BERT.onnx(true));
    assertEquals(LAYERS, Collections.frequency(optimized(graph), "BiasGelu"));
    List<String> quick = optimized(QuickForm.apply(graph));
    assertEquals(0, Collections.frequency(quick, "BiasGelu"));
    assertEquals(LAYERS, Collections.frequency(quick, "Gelu"));
    assertSame(graph);
  }

  @Test
  void aGeluOfTwoDimensions() throws IOException, OrtException {
    GraphProto graph =
        GraphProto.newBuilder()
            .setName("head")
            .addInput(Nodes.value("x", DataType.FLOAT, "batch", 2))
            .addOutput(Nodes.value("y", DataType.FLOAT, "batch", 2))
            .addInitializer(Tensors.floats("b", new float[] {0.5f, -1}, 2))
            .addNode(Nodes.node("Add", "sum", "x", "b"))
            .addNode(Nodes.node("Gelu", "y", "sum"))
            .build();
    OnnxGraph head = onnx(graph, 20);
    OnnxGraph quick = QuickForm.apply(head);
    assertTrue(quick.weight("b").isEmpty());
    float[] values = {1, 2, -3, 4, 0, 0.5f};
    try (OnnxTensor x =
            OnnxTensor.createTensor(ENVIRONMENT, FloatBuffer.wrap(values), new long[] {3, 2});
        OrtSession session = ENVIRONMENT.createSession(quick.bytes());
        OrtSession.Result result = session.run(Map.of("x", x))) {
      assertArrayEquals(new long[] {3, 2}, ((OnnxTensor) result.get(0)).getInfo().getShape());
      assertArrayEquals(run(head, Map.of("x", x)), run(quick, Map.of("x", x)), TOLERANCE);
    }
  }

  /** {@code y = round(x / scale) + 128} with a scale from the largest size over an axis. */
  private static OnnxGraph quantized(int opset, long axis) {
    NodeProto.Builder largest =
        opset < 18
            ? Nodes.node("ReduceMax", "largest", "size")
                .addAttribute(Nodes.attribute("axes", new long[] {axis}))
            : Nodes.node("ReduceMax", "largest", "size", "axes");
    GraphProto graph =
        GraphProto.newBuilder()
            .setName("quantized")
            .addInput(Nodes.value("x", DataType.FLOAT, "rows", 3))
            .addOutput(Nodes.value("y", DataType.FLOAT, "rows", 3))
            .addInitializer(Tensors.longs("axes", new long[] {axis}, 1))
            .addInitializer(Tensors.floats("tiny", new float[] {1e-9f}))
            .addInitializer(Tensors.floats("levels", new float[] {127}))
            .addInitializer(Tensors.floats("one", new float[] {1}))
            .addInitializer(Tensors.bytes("middle", DataType.UINT8, new byte[] {(byte) 128}))
            .addNode(Nodes.node("Abs", "size", "x"))
            .addNode(largest)
            .addNode(Nodes.node("Add", "positive", "largest", "tiny"))
            .addNode(Nodes.node("Div", "scale", "positive", "levels"))
            .addNode(Nodes.node("Div", "units", "x", "scale"))
            .addNode(Nodes.node("QuantizeLinear", "bytes", "units", "one", "middle"))
            .addNode(
                Nodes.node("Cast", "y", "bytes")
                    .addAttribute(Nodes.attribute("to", DataType.FLOAT.getNumber())))
            .build();
    return onnx(graph, opset);
  }

  @Test
  void scalesOfRows() throws IOException, OrtException {
    float[] values = {1, -2, 3, 0, 0, 0, 0.1f, 0.05f, -0.2f};
    try (OnnxTensor x =
        OnnxTensor.createTensor(ENVIRONMENT, FloatBuffer.wrap(values), new long[] {3, 3})) {
      for (int opset : new int[] {13, 18}) {
        OnnxGraph graph = quantized(opset, -1);
        OnnxGraph quick = QuickForm.apply(graph);
        assertEquals(1, count(quick, "Flatten"));
        assertArrayEquals(run(graph, Map.of("x", x)), run(quick, Map.of("x", x)));
      }
    }
    for (OnnxGraph other : List.of(quantized(11, -1), quantized(13, 0), quantized(18, 0))) {
      assertEquals(0, count(QuickForm.apply(other), "Flatten"));
    }
  }

  /** {@code y = LayerNormalization(x)} with an epsilon that counts. */
  private static OnnxGraph layerNorm(int opset, long axis) {
    GraphProto graph =
        GraphProto.newBuilder()
            .setName("norm")
            .addInput(Nodes.value("x", DataType.FLOAT, "batch", "tokens", 4))
            .addOutput(Nodes.value("y", DataType.FLOAT, "batch", "tokens", 4))
            .addInitializer(Tensors.floats("gamma", new float[] {1, 2, -1, 0.5f}, 4))
            .addInitializer(Tensors.floats("beta", new float[] {0, 1, 2, 3}, 4))
            .addNode(
                Nodes.node("LayerNormalization", "y", "x", "gamma", "beta")
                    .addAttribute(Nodes.attribute("axis", axis))
                    .addAttribute(
                        AttributeProto.newBuilder()
                            .setName("epsilon")
                            .setType(AttributeProto.AttributeType.FLOAT)
                            .setF(0.1f)))
            .build();
    return onnx(graph, opset);
  }

  private static OnnxGraph onnx(GraphProto graph, int opset) {
    return new OnnxGraph(
        "test",
        ModelProto.newBuilder()
            .setIrVersion(8)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(opset))
            .setGraph(graph)
            .build());
  }

  @Test
  void normsInOneOperator() throws IOException, OrtException {
    float[] values = {1, 2, 3, 4, -1, 0, 5, 0.5f, 7, 7, 7, 7};
    try (OnnxTensor x =
        OnnxTensor.createTensor(ENVIRONMENT, FloatBuffer.wrap(values), new long[] {1, 3, 4})) {
      for (int opset : new int[] {17, 18}) {
        OnnxGraph graph = layerNorm(opset, -1);
        OnnxGraph quick = QuickForm.apply(graph);
        assertEquals(0, count(quick, "LayerNormalization"));
        assertArrayEquals(run(graph, Map.of("x", x)), run(quick, Map.of("x", x)), TOLERANCE);
      }
    }
  }

  @Test
  void exponentsOfOtherTypesAreNotRead() throws IOException, OrtException {
    OnnxGraph graph = new OnnxGraph("test", BERT.onnx(true));
    OnnxGraph integers =
        graph.with(Nodes.replaced(graph.model(), "f.two", Tensors.longs("f.two", new long[] {2})));
    assertEquals(0, count(QuickForm.apply(integers), "SimplifiedLayerNormalization"));
    assertSame(integers);
  }

  @Test
  void leavesOtherFormsAlone() throws IOException {
    OnnxGraph graph = layerNorm(17, 1);
    assertEquals(
        graph.model().getGraph().getNodeList(),
        QuickForm.apply(graph).model().getGraph().getNodeList());
  }
}
