package org.semanticbm25.onnx.testing;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.semanticbm25.onnx.hub.NeuralModel;

/**
 * A tiny encoder for tests: its hidden states are its word embeddings. Rows of words that mean the
 * same are made alike, and all rows share a direction that grows with the position in the
 * vocabulary, as IDF does in real models.
 */
public final class TinyModel {
  /** Frequent words first. */
  public static final List<String> VOCABULARY =
      List.of(
          "[PAD]",
          "[UNK]",
          "[CLS]",
          "[SEP]",
          "[MASK]",
          "[unused0]",
          "the",
          "a",
          "is",
          "cheap",
          "inexpensive",
          "computer",
          "laptop",
          "notebook",
          "car",
          "automobile",
          "red",
          "banana",
          "fruit",
          "index",
          "##ing",
          "##ed",
          "quick",
          "2019",
          "2020");

  /** Length of a row. */
  public static final int HIDDEN = 8;

  private static final List<List<String>> SYNONYMS =
      List.of(
          List.of("cheap", "inexpensive"),
          List.of("laptop", "notebook"),
          List.of("car", "automobile"),
          List.of("2019", "2020"));

  private TinyModel() {}

  /** How the embedding is stored. */
  public enum Weights {
    /** Floats. */
    FLOAT,
    /** Halves, cast to floats in the graph. */
    HALF,
    /** Bytes, dequantised after the gathering, as dynamic quantisation does. */
    UINT8_AFTER,
    /** Bytes, dequantised before the gathering. */
    INT8_BEFORE
  }

  /** Writes {@code model.onnx} and {@code tokenizer.json} into a folder. */
  public static NeuralModel write(Path folder, Weights weights) throws IOException {
    Files.createDirectories(folder);
    Files.write(folder.resolve("model.onnx"), onnx(embeddings(), weights).toByteArray());
    Files.writeString(folder.resolve("tokenizer.json"), tokenizer());
    return NeuralModel.at(folder);
  }

  /** The rows, the same at each call. */
  public static float[][] embeddings() {
    Random random = new Random(5);
    float[][] rows = new float[VOCABULARY.size()][HIDDEN];
    for (int i = 0; i < rows.length; i++) {
      for (int d = 1; d < HIDDEN; d++) {
        rows[i][d] = (float) random.nextGaussian();
      }
      // the shared direction
      rows[i][0] = 2f + 0.08f * i;
    }
    for (List<String> pair : SYNONYMS) {
      float[] first = rows[VOCABULARY.indexOf(pair.get(0))];
      float[] second = rows[VOCABULARY.indexOf(pair.get(1))];
      for (int d = 1; d < HIDDEN; d++) {
        second[d] = first[d] + 0.05f * second[d];
      }
    }
    return rows;
  }

  public static ModelProto onnx(float[][] rows, Weights weights) {
    GraphProto.Builder graph = GraphProto.newBuilder().setName("tiny");
    for (String input : List.of("input_ids", "attention_mask", "token_type_ids")) {
      graph.addInput(value(input, TensorProto.DataType.INT64, 2));
    }
    graph.addOutput(value("last_hidden_state", TensorProto.DataType.FLOAT, 3));
    switch (weights) {
      case FLOAT -> {
        graph.addInitializer(floats("table", rows));
        gather(graph, "table", "last_hidden_state");
      }
      case HALF -> {
        graph.addInitializer(halves("table", rows));
        gather(graph, "table", "gathered");
        graph.addNode(
            node("Cast", "last_hidden_state", "gathered")
                .addAttribute(
                    AttributeProto.newBuilder()
                        .setName("to")
                        .setType(AttributeProto.AttributeType.INT)
                        .setI(TensorProto.DataType.FLOAT.getNumber())));
      }
      case UINT8_AFTER -> {
        quantized(graph, rows, TensorProto.DataType.UINT8, 128);
        gather(graph, "table", "gathered");
        graph.addNode(node("DequantizeLinear", "last_hidden_state", "gathered", "scale", "zero"));
      }
      case INT8_BEFORE -> {
        quantized(graph, rows, TensorProto.DataType.INT8, 0);
        graph.addNode(node("DequantizeLinear", "floats", "table", "scale", "zero"));
        gather(graph, "floats", "last_hidden_state");
      }
    }
    return ModelProto.newBuilder()
        .setIrVersion(8)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(13))
        .setGraph(graph)
        .build();
  }

  private static void gather(GraphProto.Builder graph, String table, String output) {
    graph.addNode(node("Identity", "ids", "input_ids"));
    graph.addNode(node("Gather", output, table, "ids"));
  }

  private static NodeProto.Builder node(String type, String output, String... inputs) {
    return NodeProto.newBuilder()
        .setOpType(type)
        .setName(type + " of " + output)
        .addAllInput(List.of(inputs))
        .addOutput(output);
  }

  private static ValueInfoProto value(String name, TensorProto.DataType type, int rank) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (int i = 0; i < rank; i++) {
      shape.addDim(TensorShapeProto.Dimension.newBuilder().setDimParam(name + i));
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(
                    TypeProto.Tensor.newBuilder().setElemType(type.getNumber()).setShape(shape)))
        .build();
  }

  private static TensorProto.Builder table(float[][] rows, TensorProto.DataType type) {
    return TensorProto.newBuilder()
        .setName("table")
        .setDataType(type.getNumber())
        .addDims(rows.length)
        .addDims(rows[0].length);
  }

  private static TensorProto floats(String name, float[][] rows) {
    ByteBuffer raw = buffer(rows, Float.BYTES);
    for (float[] row : rows) {
      for (float value : row) {
        raw.putFloat(value);
      }
    }
    return table(rows, TensorProto.DataType.FLOAT).setName(name).setRawData(bytes(raw)).build();
  }

  private static TensorProto halves(String name, float[][] rows) {
    ByteBuffer raw = buffer(rows, Short.BYTES);
    for (float[] row : rows) {
      for (float value : row) {
        raw.putShort(Float.floatToFloat16(value));
      }
    }
    return table(rows, TensorProto.DataType.FLOAT16).setName(name).setRawData(bytes(raw)).build();
  }

  private static void quantized(
      GraphProto.Builder graph, float[][] rows, TensorProto.DataType type, int zero) {
    float max = 0;
    for (float[] row : rows) {
      for (float value : row) {
        max = Math.max(max, Math.abs(value));
      }
    }
    float scale = max / 127;
    ByteBuffer raw = buffer(rows, 1);
    for (float[] row : rows) {
      for (float value : row) {
        raw.put((byte) (Math.round(value / scale) + zero));
      }
    }
    graph.addInitializer(table(rows, type).setRawData(bytes(raw)));
    graph.addInitializer(
        TensorProto.newBuilder()
            .setName("scale")
            .setDataType(TensorProto.DataType.FLOAT.getNumber())
            .addFloatData(scale));
    graph.addInitializer(
        TensorProto.newBuilder()
            .setName("zero")
            .setDataType(type.getNumber())
            .setRawData(ByteString.copyFrom(new byte[] {(byte) zero})));
  }

  private static ByteBuffer buffer(float[][] rows, int size) {
    return ByteBuffer.allocate(rows.length * rows[0].length * size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static ByteString bytes(ByteBuffer raw) {
    return ByteString.copyFrom(raw.flip());
  }

  public static String tokenizer() {
    List<String> entries = new ArrayList<>();
    List<String> added = new ArrayList<>();
    for (int i = 0; i < VOCABULARY.size(); i++) {
      entries.add("\"%s\": %s".formatted(VOCABULARY.get(i), i));
      if (i < 5) {
        added.add(
            """
            {"id": %s, "content": "%s", "single_word": false, "lstrip": false, "rstrip": false,
             "normalized": false, "special": true}\
            """
                .formatted(i, VOCABULARY.get(i)));
      }
    }
    return """
    {"version": "1.0",
     "truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
     "padding": {"strategy": {"Fixed": 6}, "direction": "Right", "pad_to_multiple_of": null,
                 "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
     "added_tokens": [%s],
     "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                    "strip_accents": null, "lowercase": true},
     "pre_tokenizer": {"type": "BertPreTokenizer"},
     "post_processor": {"type": "TemplateProcessing",
       "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                  {"Sequence": {"id": "A", "type_id": 0}},
                  {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
       "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
                {"Sequence": {"id": "B", "type_id": 1}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
       "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                          "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
     "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
     "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
               "max_input_chars_per_word": 100, "vocab": {%s}}}
    """
        .formatted(String.join(", ", added), String.join(", ", entries));
  }
}
