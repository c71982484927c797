package org.semanticbm25.onnx;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The ONNX graph of a BERT-family model: read, looked into and edited.
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

  /** What {@link #tapAttention()} adds as an output. */
  public static final String ATTENTION_MASS = "attention_mass";

  /**
   * What {@link #tapAttention()} adds as an input, float {@code [batch, 1, tokens, marks]}: each
   * mark is a set of tokens, 1 at those that belong to it and 0 at the others.
   */
  public static final String MARKS = "marks";

  /** What {@link #tapAttention()} adds as an input, {@code [1]}: leading positions to look from. */
  public static final String QUERY_END = "query_end";

  private static final String LAST_STATES = "last_states";
  private static final Set<String> PASS_THROUGH =
      Set.of("Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze");
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

  OnnxGraph(String source, ModelProto model) {
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
   * @throws IOException if the file cannot be read, is not an ONNX model or does not hold its weights
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
    for (TensorProto tensor : model.getGraph().getInitializerList()) {
      if (tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL) {
        throw new IOException(
            "%s: weights of '%s' are in another file; give a model in one file"
                .formatted(file, tensor.getName()));
      }
    }
    return new OnnxGraph(file.toString(), model);
  }

  /** Writes the model: under another name first, so that no half of it is ever seen. */
  public void write(Path file) throws IOException {
    Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
    try {
      try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(temporary))) {
        model.writeTo(out);
      }
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /** The model as ONNX Runtime takes it. */
  byte[] bytes() {
    return model.toByteArray();
  }

  /** Names of the inputs, without those that have a value of their own. */
  public List<String> inputs() {
    return model.getGraph().getInputList().stream()
        .map(ValueInfoProto::getName)
        .filter(name -> !weights.containsKey(name))
        .toList();
  }

  /** Names of the outputs. */
  public List<String> outputs() {
    return model.getGraph().getOutputList().stream().map(ValueInfoProto::getName).toList();
  }

  /** Number of weights, all matrices and vectors together. */
  public long parameters() {
    return model.getGraph().getInitializerList().stream()
        .mapToLong(t -> t.getDimsList().stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b))
        .sum();
  }

  /** Version of ONNX's own operators. */
  public long opset() {
    return model.getOpsetImportList().stream()
        .filter(set -> set.getDomain().isEmpty() || set.getDomain().equals("ai.onnx"))
        .mapToLong(OperatorSetIdProto::getVersion)
        .findFirst()
        .orElse(1);
  }

  /** Whether matrix products run in 8-bit integers. */
  public boolean isQuantized() {
    return model.getGraph().getNodeList().stream()
        .anyMatch(node -> node.getOpType().matches("MatMulInteger|DynamicQuantizeMatMul|QGemm"));
  }

  /** The operator that hides attention's inside, if an optimiser has put one in. */
  public Optional<String> fusedAttention() {
    return model.getGraph().getNodeList().stream()
        .map(NodeProto::getOpType)
        .filter(FUSED::contains)
        .findFirst();
  }

  /** Number of attention layers that can be looked into. */
  public int layers() {
    return attention().size();
  }

  /**
   * Number of word embeddings.
   *
   * @throws IOException if they are not found
   */
  public int vocabularySize() throws IOException {
    return (int) WordEmbeddings.table(this, WordEmbeddings.gather(this)).orElseThrow().getDims(0);
  }

  /**
   * Number of positions for which there is an embedding, if that can be told: the table that is
   * gathered with neither token ids nor token types.
   */
  public OptionalInt positions() {
    return model.getGraph().getNodeList().stream()
        .filter(node -> node.getOpType().equals("Gather"))
        .filter(node -> !reads(node.getInput(1), INPUT_IDS))
        .filter(node -> !reads(node.getInput(1), TOKEN_TYPE_IDS))
        .map(node -> weights.get(node.getInput(0)))
        .filter(table -> table != null && table.getDimsCount() == 2 && table.getDims(0) > 2)
        .mapToInt(table -> (int) table.getDims(0))
        .findFirst();
  }

  /**
   * Adds an output {@value #ATTENTION_MASS}, {@code [batch, layers * heads, query_end * marks]}: for
   * every head and each of the first {@code query_end} positions, the sum of its attention to the
   * tokens of each of {@value #MARKS}. The sums are made in the graph, so that nothing of the size
   * of tokens by tokens leaves the runtime.
   *
   * @throws IOException if the graph has no attention that can be looked into
   */
  public OnnxGraph tapAttention() throws IOException {
    return tapped(layersOrThrow(), model.getGraph().getOutputList());
  }

  /**
   * Keeps the first layers of a model and what they need, with {@value #ATTENTION_MASS} as the only
   * output: the same numbers as {@link #tapAttention()} gives for these layers.
   *
   * @param layers to keep, at least 1
   * @throws IOException if the graph has no attention that can be looked into
   * @throws IllegalArgumentException if there are not that many layers
   */
  public OnnxGraph cutAfter(int layers) throws IOException {
    List<NodeProto> attention = layersOrThrow();
    int all = attention.size();
    if (layers < 1 || layers > all) {
      throw new IllegalArgumentException(
          "%s: has %d layers, cannot be cut after %d; give 1 to %d"
              .formatted(source, all, layers, all));
    }
    return tapped(attention.subList(0, layers), List.of());
  }

  /**
   * Turns the word embeddings and every product with a weight matrix into 8-bit integers.
   *
   * @see DynamicQuantization
   * @throws IOException if the graph is quantised already or too old to be
   */
  public OnnxGraph quantize() throws IOException {
    return new OnnxGraph(source, new DynamicQuantization(this).apply());
  }

  /**
   * Computes the last layer for the first token only, if that is all that the outputs need.
   *
   * @return this graph if its last layer is not of the usual form
   */
  OnnxGraph firstTokenOnly() {
    List<NodeProto> attention = attention();
    return attention.isEmpty()
        ? this
        : new FirstTokenOnly(this)
            .apply(attention.getLast())
            .map(edited -> new OnnxGraph(source, edited))
            .orElse(this);
  }

  /**
   * Keeps what leads to the last hidden states and makes them the only output, {@code [batch, tokens,
   * hidden]}: the states of which a pooler or classifier takes the first.
   *
   * @return this graph if nothing takes the first token, as in an encoder without a pooler
   */
  OnnxGraph lastHiddenStates() {
    return model.getGraph().getNodeList().stream()
        .filter(node -> FirstTokenOnly.choosesFirstToken(this, node))
        .map(node -> withOutput(node.getInput(0)))
        .findFirst()
        .orElse(this);
  }

  /** Whether a value is a weight, or made of one alone. */
  private boolean isConstant(String value) {
    NodeProto producer = producers.get(value);
    return weights.containsKey(value)
        || (producer != null && producer.getInputList().stream().allMatch(weights::containsKey));
  }

  /** Whether something takes the first token's state, as a cross-encoder's pooler does. */
  boolean choosesFirstToken() {
    return model.getGraph().getNodeList().stream()
        .anyMatch(node -> FirstTokenOnly.choosesFirstToken(this, node));
  }

  /**
   * Keeps what leads to the states after the first layers and makes them the only output, {@code
   * [batch, tokens, hidden]}.
   *
   * @param layers to run, at least 1
   * @throws IOException if the graph has no attention that can be looked into, or is of another form
   * @throws IllegalArgumentException if there are not that many layers
   */
  OnnxGraph hiddenStates(int layers) throws IOException {
    List<NodeProto> attention = layersOrThrow();
    if (layers < 1 || layers > attention.size()) {
      throw new IllegalArgumentException(
          "%s: has %d layers, no states after layer %d; give 1 to %d"
              .formatted(source, attention.size(), layers, attention.size()));
    }
    return layers == attention.size()
        ? lastHiddenStates()
        : withOutput(input(attention.get(layers)));
  }

  /** The states that go into a layer: what is added to that which its attention gives. */
  private String input(NodeProto softmax) throws IOException {
    Set<String> after = new HashSet<>(softmax.getOutputList());
    for (NodeProto node : model.getGraph().getNodeList()) {
      if (node.getInputList().stream().anyMatch(after::contains)) {
        Optional<String> added =
            node.getInputList().stream()
                .filter(input -> node.getOpType().equals("Add"))
                .filter(input -> !after.contains(input) && !isConstant(input))
                .findFirst();
        if (added.isPresent()) {
          return added.get();
        }
        after.addAll(node.getOutputList());
      }
    }
    throw new IOException(
        source + ": nothing is added to what attention gives; give a plain export of a BERT-family model");
  }

  private OnnxGraph withOutput(String states) {
    GraphProto.Builder graph =
        model.getGraph().toBuilder()
            // half-precision models
            .addNode(
                Nodes.node("Cast", LAST_STATES, states)
                    .addAttribute(Nodes.attribute("to", TensorProto.DataType.FLOAT.getNumber())))
            .clearOutput()
            .addOutput(
                Nodes.value(LAST_STATES, TensorProto.DataType.FLOAT, "batch", "tokens", "hidden"));
    return new OnnxGraph(source, model.toBuilder().setGraph(Nodes.pruned(graph)).build());
  }

  List<NodeProto> layersOrThrow() throws IOException {
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
  private List<NodeProto> attention() {
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

  private OnnxGraph tapped(List<NodeProto> attention, List<ValueInfoProto> outputs)
      throws IOException {
    if (inputs().contains(MARKS)) {
      throw new IOException(source + ": is tapped already; give the model it was made of");
    }
    GraphProto.Builder graph = model.getGraph().toBuilder().clearOutput().addAllOutput(outputs);
    graph.addInput(Nodes.value(MARKS, TensorProto.DataType.FLOAT, "batch", 1, "tokens", "marks"));
    graph.addInput(Nodes.value(QUERY_END, TensorProto.DataType.INT64, 1));
    graph.addInitializer(Tensors.longs("tap/zero", new long[] {0}, 1));
    graph.addInitializer(Tensors.longs("tap/axis", new long[] {2}, 1));
    graph.addInitializer(Tensors.longs("tap/shape", new long[] {0, 0, -1}, 3));
    NodeProto.Builder all = Nodes.node("Concat", "tap/all").addAttribute(Nodes.attribute("axis", 1));
    for (int layer = 0; layer < attention.size(); layer++) {
      String tap = "tap/" + layer;
      String probabilities = attention.get(layer).getOutput(0);
      graph.addNode(
          Nodes.node("Slice", tap + "/rows", probabilities, "tap/zero", QUERY_END, "tap/axis"));
      // half-precision models
      graph.addNode(
          Nodes.node("Cast", tap + "/floats", tap + "/rows")
              .addAttribute(Nodes.attribute("to", TensorProto.DataType.FLOAT.getNumber())));
      graph.addNode(Nodes.node("MatMul", tap, tap + "/floats", MARKS));
      all.addInput(tap);
    }
    graph.addNode(all);
    graph.addNode(Nodes.node("Reshape", ATTENTION_MASS, "tap/all", "tap/shape"));
    graph.addOutput(
        Nodes.value(ATTENTION_MASS, TensorProto.DataType.FLOAT, "batch", "heads", "sums"));
    return new OnnxGraph(source, model.toBuilder().setGraph(Nodes.pruned(graph)).build());
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
