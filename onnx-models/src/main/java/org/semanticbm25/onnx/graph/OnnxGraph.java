package org.semanticbm25.onnx.graph;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.semanticbm25.onnx.AtomicFile;

/**
 * The ONNX graph of a BERT-family model: read, looked into and written. {@link AttentionTap},
 * {@link HiddenStates}, {@link FirstTokenOnly} and {@link DynamicQuantization} make other graphs of
 * it.
 *
 * <p>Parts are recognised by what they do and not by their names: the word embeddings are the table
 * of the {@code Gather} whose indices come from {@code input_ids}; an attention layer is a {@code
 * Softmax} whose output is multiplied with values.
 *
 * <p>Immutable and thread-safe: an edit gives a new graph that shares the weights.
 */
public final class OnnxGraph {
  /** The input with the token ids, {@code [batch, tokens]}. */
  public static final String INPUT_IDS = "input_ids";

  /** The input that tells tokens, 1, from padding, 0. */
  public static final String ATTENTION_MASK = "attention_mask";

  /** The input that tells query, 0, from passage, 1; not every model has it. */
  public static final String TOKEN_TYPE_IDS = "token_type_ids";

  /** What {@link AttentionTap} adds as an output. */
  public static final String ATTENTION_MASS = "attention_mass";

  /**
   * What {@link AttentionTap} adds as an input, float {@code [batch, 1, tokens, marks]}: each mark
   * is a set of tokens, 1 at those that belong to it and 0 at the others.
   */
  public static final String MARKS = "marks";

  /** What {@link AttentionTap} adds as an input, {@code [1]}: leading positions to look from. */
  public static final String QUERY_END = "query_end";

  private static final Set<String> PASS_THROUGH =
      Set.of("Cast", "Expand", "Identity", "Reshape", "Squeeze", "Unsqueeze");
  private static final Set<String> AFTER_SOFTMAX = Set.of("Cast", "Identity", "Dropout", "Where");
  private static final Set<String> FUSED =
      Set.of(
          "Attention",
          "MultiHeadAttention",
          "PackedAttention",
          "QAttention",
          "EmbedLayerNormalization",
          "GroupQueryAttention");

  private final String source;
  private final ModelProto model;
  private final Map<String, NodeProto> producers = new HashMap<>();
  private final Map<String, List<NodeProto>> consumers = new HashMap<>();
  private final Map<String, TensorProto> weights = new HashMap<>();

  /**
   * Wraps a model and indexes its nodes and weights.
   *
   * @param source where the model comes from, for messages
   * @param model with its weights, none of them in other files
   */
  public OnnxGraph(String source, ModelProto model) {
    this.source = source;
    this.model = model;
    for (NodeProto node : model.getGraph().getNodeList()) {
      node.getOutputList().forEach(output -> producers.put(output, node));
      node.getInputList()
          .forEach(input -> consumers.computeIfAbsent(input, i -> new ArrayList<>()).add(node));
      if (node.getOpType().equals("Constant") && node.getAttributeCount() == 1) {
        weights.put(node.getOutput(0), node.getAttribute(0).getT());
      }
    }
    model.getGraph().getInitializerList().forEach(tensor -> weights.put(tensor.getName(), tensor));
  }

  /**
   * Reads a model.
   *
   * @param file an ONNX model; its weights are in it, or in files in the same folder
   * @return the graph, which is in memory as a whole
   * @throws IOException if the file cannot be read or is not an ONNX model, or if its weights are
   *     missing or too large
   */
  public static OnnxGraph read(Path file) throws IOException {
    ModelProto model;
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      CodedInputStream coded = CodedInputStream.newInstance(in);
      coded.setSizeLimit(Integer.MAX_VALUE);
      model = ModelProto.parseFrom(coded);
    } catch (InvalidProtocolBufferException e) {
      throw new IOException(file + ": not an ONNX model, or damaged; fetch it again", e);
    }
    if (!model.hasGraph() || model.getGraph().getNodeCount() == 0) {
      throw new IOException(file + ": not an ONNX model: it has no graph; fetch it again");
    }
    return new OnnxGraph(file.toString(), ExternalWeights.include(file, model));
  }

  /**
   * Writes the model whole, or leaves what was there.
   *
   * @param file to write; its folder is made if there is none
   * @throws IOException if the file cannot be written
   */
  public void write(Path file) throws IOException {
    AtomicFile.write(file, model::writeTo);
  }

  /**
   * The model as ONNX Runtime takes it.
   *
   * @return a serialised {@code ModelProto}, made anew by each call
   */
  public byte[] bytes() {
    return model.toByteArray();
  }

  /**
   * Names of the inputs, without those that have a value of their own.
   *
   * @return in the order of the graph
   */
  public List<String> inputs() {
    return model.getGraph().getInputList().stream()
        .map(ValueInfoProto::getName)
        .filter(name -> !weights.containsKey(name))
        .toList();
  }

  /**
   * The shape of an input that has fixed dimensions.
   *
   * @param input name
   * @return its dimensions, 0 for a free one; empty if all are free, or there is no such input
   */
  public List<Long> fixedShape(String input) {
    return model.getGraph().getInputList().stream()
        .filter(value -> value.getName().equals(input))
        .map(value -> value.getType().getTensorType().getShape().getDimList())
        .filter(dimensions -> dimensions.stream().anyMatch(d -> d.getDimValue() > 0))
        .findFirst()
        .map(dimensions -> dimensions.stream().map(d -> d.getDimValue()).toList())
        .orElse(List.of());
  }

  /**
   * Names of the outputs.
   *
   * @return in the order of the graph
   */
  public List<String> outputs() {
    return model.getGraph().getOutputList().stream().map(ValueInfoProto::getName).toList();
  }

  /**
   * Number of weights, all matrices and vectors together.
   *
   * @return sum over the graph's initializers of their elements
   */
  public long parameters() {
    return model.getGraph().getInitializerList().stream()
        .mapToLong(
            t -> t.getDimsList().stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b))
        .sum();
  }

  /**
   * Version of ONNX's own operators.
   *
   * @return 1 if the model does not say
   */
  public long opset() {
    return model.getOpsetImportList().stream()
        .filter(set -> set.getDomain().isEmpty() || set.getDomain().equals("ai.onnx"))
        .mapToLong(OperatorSetIdProto::getVersion)
        .findFirst()
        .orElse(1);
  }

  /**
   * Whether matrix products run in 8-bit integers.
   *
   * @return true if the graph has an operator {@code MatMulInteger}, {@code DynamicQuantizeMatMul}
   *     or {@code QGemm}
   */
  public boolean isQuantized() {
    return model.getGraph().getNodeList().stream()
        .anyMatch(node -> node.getOpType().matches("MatMulInteger|DynamicQuantizeMatMul|QGemm"));
  }

  /**
   * The operator that hides attention's inside, if an optimiser has put one in.
   *
   * @return type of the first such operator; empty if there is none
   */
  public Optional<String> fusedAttention() {
    return model.getGraph().getNodeList().stream()
        .map(NodeProto::getOpType)
        .filter(FUSED::contains)
        .findFirst();
  }

  /**
   * Number of attention layers that can be looked into.
   *
   * @return 0 if attention is fused, or there is none
   */
  public int layers() {
    return attention().size();
  }

  /**
   * Number of positions for which there is an embedding, if that can be told: the longest table
   * that is gathered with neither token ids nor token types.
   *
   * @return more than 2; empty if there is no such table
   */
  public OptionalInt positions() {
    return model.getGraph().getNodeList().stream()
        .filter(node -> node.getOpType().equals("Gather"))
        .filter(node -> !reads(node.getInput(1), INPUT_IDS))
        .filter(node -> !reads(node.getInput(1), TOKEN_TYPE_IDS))
        .map(node -> weights.get(node.getInput(0)))
        .filter(table -> table != null && table.getDimsCount() == 2 && table.getDims(0) > 2)
        .mapToInt(table -> (int) table.getDims(0))
        .max();
  }

  /**
   * The softmax of every attention layer.
   *
   * @return at least one, in the order of the computation
   * @throws IOException if there is none that can be looked into; the message says whether
   *     attention is fused
   */
  public List<NodeProto> layersOrThrow() throws IOException {
    List<NodeProto> attention = attention();
    if (attention.isEmpty()) {
      throw new IOException(
          source
              + fusedAttention()
                  .map(operator -> ": attention is fused into '" + operator + "'")
                  .orElse(": no attention found")
              + "; give a plain export of a BERT-family model, not an optimiser-fused one");
    }
    return attention;
  }

  /** The softmax of every layer, in the order of the computation, which ONNX prescribes. */
  List<NodeProto> attention() {
    return model.getGraph().getNodeList().stream()
        .filter(node -> node.getOpType().equals("Softmax"))
        .filter(softmax -> weighsValues(softmax.getOutput(0)))
        .toList();
  }

  private boolean weighsValues(String probabilities) {
    for (NodeProto consumer : consumers.getOrDefault(probabilities, List.of())) {
      boolean product =
          consumer.getOpType().equals("MatMul") && consumer.getInput(0).equals(probabilities);
      boolean tap = consumer.getInputList().contains(QUERY_END);
      if (tap || (product && !weights.containsKey(consumer.getInput(1)))) {
        return true;
      }
      if (AFTER_SOFTMAX.contains(consumer.getOpType()) && weighsValues(consumer.getOutput(0))) {
        return true;
      }
    }
    return false;
  }

  /** Whether a value is an input as it came, but for casts and changes of shape. */
  boolean reads(String value, String input) {
    String at = value;
    while (!at.equals(input)) {
      NodeProto producer = producers.get(at);
      if (producer == null || !PASS_THROUGH.contains(producer.getOpType())) {
        return false;
      }
      at = producer.getInput(0);
    }
    return true;
  }

  /** Another model from the same source. */
  OnnxGraph with(ModelProto edited) {
    return new OnnxGraph(source, edited);
  }

  ModelProto model() {
    return model;
  }

  String source() {
    return source;
  }

  Optional<NodeProto> producer(String value) {
    return Optional.ofNullable(producers.get(value));
  }

  List<NodeProto> consumers(String value) {
    return consumers.getOrDefault(value, List.of());
  }

  Optional<TensorProto> weight(String name) {
    return Optional.ofNullable(weights.get(name));
  }

  /** Numbers of a constant. */
  float[] decode(TensorProto tensor) throws IOException {
    try {
      return Tensors.decode(tensor);
    } catch (IOException e) {
      throw new IOException(source + ": " + e.getMessage(), e);
    }
  }
}
