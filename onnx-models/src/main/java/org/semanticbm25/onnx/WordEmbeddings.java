package org.semanticbm25.onnx;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds and reads the word-embedding matrix of a BERT-family ONNX graph.
 *
 * <p>The matrix is recognised by what it does and not by its name: it is the table of the {@code
 * Gather} whose indices come from the input {@code input_ids}. Weights may be float, half, or 8-bit
 * integers that a {@code DequantizeLinear} turns into floats before or after the gathering, as
 * dynamic quantisation leaves them.
 */
public final class WordEmbeddings {
  private static final String INPUT_IDS = "input_ids";
  private static final Set<String> PASS_THROUGH =
      Set.of("Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze");

  private final Path file;
  private final GraphProto graph;
  private final Map<String, NodeProto> producers = new HashMap<>();
  private final Map<String, TensorProto> weights = new HashMap<>();

  private WordEmbeddings(Path file, GraphProto graph) {
    this.file = file;
    this.graph = graph;
    for (NodeProto node : graph.getNodeList()) {
      node.getOutputList().forEach(output -> producers.put(output, node));
    }
    graph.getInitializerList().forEach(tensor -> weights.put(tensor.getName(), tensor));
  }

  /**
   * Reads the matrix, {@code [vocabulary][hidden]}.
   *
   * @throws IOException if the file is not an ONNX model or has no such matrix
   */
  public static float[][] read(Path onnx) throws IOException {
    return new WordEmbeddings(onnx, parse(onnx).getGraph()).matrix();
  }

  private static ModelProto parse(Path onnx) throws IOException {
    ModelProto model;
    try (InputStream in = new BufferedInputStream(Files.newInputStream(onnx))) {
      CodedInputStream coded = CodedInputStream.newInstance(in);
      coded.setSizeLimit(Integer.MAX_VALUE);
      model = ModelProto.parseFrom(coded);
    } catch (InvalidProtocolBufferException e) {
      throw new IOException(onnx + ": not an ONNX model, or damaged; fetch it again", e);
    }
    if (!model.hasGraph() || model.getGraph().getNodeCount() == 0) {
      throw new IOException(onnx + ": not an ONNX model: it has no graph; fetch it again");
    }
    return model;
  }

  private float[][] matrix() throws IOException {
    float[][] largest = null;
    for (NodeProto node : graph.getNodeList()) {
      if (node.getOpType().equals("Gather") && readsInputIds(node.getInput(1))) {
        Optional<float[][]> table = table(node);
        if (table.isPresent() && (largest == null || table.get().length > largest.length)) {
          largest = table.get();
        }
      }
    }
    if (largest == null) {
      throw new IOException(
          file
              + ": no word embeddings: no Gather over '"
              + INPUT_IDS
              + "' found; give a plain export of a BERT-family model, not an optimiser-fused one");
    }
    return largest;
  }

  private boolean readsInputIds(String value) {
    while (!value.equals(INPUT_IDS)) {
      NodeProto producer = producers.get(value);
      if (producer == null || !PASS_THROUGH.contains(producer.getOpType())) {
        return false;
      }
      value = producer.getInput(0);
    }
    return true;
  }

  private Optional<float[][]> table(NodeProto gather) throws IOException {
    String name = gather.getInput(0);
    NodeProto dequantize = producers.get(name);
    if (dequantize == null) {
      dequantize = consumer(gather.getOutput(0));
    } else {
      name = dequantize.getInput(0);
    }
    TensorProto tensor = weights.get(name);
    if (tensor == null || tensor.getDimsCount() != 2) {
      return Optional.empty();
    }
    if (tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL) {
      throw new IOException(
          file + ": weights of '" + name + "' are in another file; give a model in one file");
    }
    boolean quantized = dequantize != null && dequantize.getOpType().equals("DequantizeLinear");
    float scale = quantized ? decode(weight(dequantize, 1))[0] : 1f;
    float zero = quantized && dequantize.getInputCount() > 2 ? decode(weight(dequantize, 2))[0] : 0f;
    return Optional.of(rows(tensor, scale, zero));
  }

  private NodeProto consumer(String value) {
    return graph.getNodeList().stream()
        .filter(node -> node.getInputList().contains(value))
        .findFirst()
        .orElse(null);
  }

  private TensorProto weight(NodeProto node, int input) throws IOException {
    TensorProto tensor = weights.get(node.getInput(input));
    if (tensor == null) {
      throw new IOException(
          file + ": '" + node.getName() + "' has no constant '" + node.getInput(input) + "'");
    }
    return tensor;
  }

  private float[][] rows(TensorProto tensor, float scale, float zero) throws IOException {
    float[] values = decode(tensor);
    int width = (int) tensor.getDims(1);
    float[][] rows = new float[(int) tensor.getDims(0)][width];
    if (values.length != (long) rows.length * width) {
      throw new IOException(
          "%s: '%s' holds %d numbers, not %d x %d; fetch the model again"
              .formatted(file, tensor.getName(), values.length, rows.length, width));
    }
    for (int i = 0; i < values.length; i++) {
      rows[i / width][i % width] = (values[i] - zero) * scale;
    }
    return rows;
  }

  private float[] decode(TensorProto tensor) throws IOException {
    ByteBuffer raw = tensor.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    TensorProto.DataType type = TensorProto.DataType.forNumber(tensor.getDataType());
    boolean isRaw = raw.hasRemaining();
    return switch (type) {
      case FLOAT -> {
        float[] values = new float[isRaw ? raw.remaining() / 4 : tensor.getFloatDataCount()];
        for (int i = 0; i < values.length; i++) {
          values[i] = isRaw ? raw.getFloat() : tensor.getFloatData(i);
        }
        yield values;
      }
      case FLOAT16 -> {
        float[] values = new float[isRaw ? raw.remaining() / 2 : tensor.getInt32DataCount()];
        for (int i = 0; i < values.length; i++) {
          values[i] =
              Float.float16ToFloat(isRaw ? raw.getShort() : (short) tensor.getInt32Data(i));
        }
        yield values;
      }
      case INT8, UINT8 -> {
        int mask = type == TensorProto.DataType.UINT8 ? 0xFF : -1;
        float[] values = new float[isRaw ? raw.remaining() : tensor.getInt32DataCount()];
        for (int i = 0; i < values.length; i++) {
          values[i] = isRaw ? raw.get() & mask : tensor.getInt32Data(i);
        }
        yield values;
      }
      case null, default ->
          throw new IOException(
              "%s: '%s' is of type %s, which cannot be read; export it as float or int8"
                  .formatted(file, tensor.getName(), type));
    };
  }
}
