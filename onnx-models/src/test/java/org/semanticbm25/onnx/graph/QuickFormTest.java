package org.semanticbm25.onnx.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.semanticbm25.onnx.testing.TinyBert;

/** Rewritten graphs compute what the original ones do. */
class QuickFormTest {
  private static final float TOLERANCE = 1e-5f;
  private static final int LAYERS = 3;
  private static final TinyBert BERT =
      new TinyBert(new TinyBert.Shape(50, 32, LAYERS, 16, 2, 32), 7);
  private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();

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

  @Test
  void biasesOfGelu() throws IOException, OrtException {
    OnnxGraph graph = new OnnxGraph("test", BERT.onnx(true));
    List<TensorProto> biases =
        QuickForm.apply(graph).model().getGraph().getInitializerList().stream()
            .filter(weight -> weight.getDimsCount() == 3)
            .toList();
    assertEquals(LAYERS, biases.size());
    assertSame(graph);
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
