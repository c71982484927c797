package org.semanticbm25.onnx.crossencoder;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.commons.math3.stat.correlation.PearsonsCorrelation;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.attention.AttentionTaps;
import org.semanticbm25.onnx.graph.AttentionTap;
import org.semanticbm25.onnx.graph.DynamicQuantization;
import org.semanticbm25.onnx.graph.FirstTokenOnly;
import org.semanticbm25.onnx.graph.Nodes;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.graph.Tensors;
import org.semanticbm25.onnx.graph.WordEmbeddings;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.runtime.LongPassages;
import org.semanticbm25.onnx.runtime.Marks;
import org.semanticbm25.onnx.runtime.PairEngine;
import org.semanticbm25.onnx.runtime.PairModel;
import org.semanticbm25.onnx.runtime.PairTokenizer;
import org.semanticbm25.onnx.runtime.TermEncoder;
import org.semanticbm25.onnx.testing.BertOracle;
import org.semanticbm25.onnx.testing.RandomText;
import org.semanticbm25.onnx.testing.TinyBert;
import org.semanticbm25.onnx.testing.TinyModel;
import org.semanticbm25.similarity.model.SemanticBM25Model;

/** The engine against a forward pass in plain Java, on a random BERT with a real tokenizer. */
class CrossEncoderTest {
  private static final TinyBert.Shape SHAPE = new TinyBert.Shape(30_522, 512, 3, 32, 4, 64);
  private static final TinyBert BERT = new TinyBert(SHAPE, 7);
  private static final BertOracle ORACLE = new BertOracle(BERT);
  private static final double TOLERANCE = 1e-4;
  private static final String LONG =
      String.join(" ", Collections.nCopies(120, "what the quick fox said about retrieval"));

  @TempDir static Path shared;
  private static NeuralModel model;

  @TempDir Path folder;

  @BeforeAll
  static void write() throws IOException {
    model = write(shared.resolve("float"), BERT.onnx(true));
  }

  private static NeuralModel write(Path folder, ModelProto onnx) throws IOException {
    Files.createDirectories(folder);
    Files.write(folder.resolve("model.onnx"), onnx.toByteArray());
    // it asks for padding and truncation to 128, which must not happen
    try (InputStream tokenizer =
        CrossEncoderTest.class.getResourceAsStream("/all-minilm-l6-v2-tokenizer.json")) {
      Files.write(folder.resolve("tokenizer.json"), tokenizer.readAllBytes());
    }
    return NeuralModel.at(folder);
  }

  private static CrossEncoder open(NeuralModel model) throws IOException {
    return CrossEncoder.builder(model).threads(2).open();
  }

  private static BertOracle.Result expected(Encoding pair) {
    return ORACLE.run(
        Arrays.stream(pair.getIds()).mapToInt(i -> (int) i).toArray(),
        Arrays.stream(pair.getTypeIds()).mapToInt(i -> (int) i).toArray());
  }

  /** Ten queries with twenty passages each, among them empty, very long and foreign ones. */
  private static List<List<String>> texts() {
    Random random = new Random(3);
    List<List<String>> texts = new ArrayList<>();
    for (int query = 0; query < 10; query++) {
      List<String> list = new ArrayList<>(List.of(RandomText.words(random, 1 + random.nextInt(6))));
      list.addAll(List.of("", "Ünïcödé 検索エンジン и поиск", "مرحبا بالعالم", "[SEP] [CLS] ##ing"));
      while (list.size() < 20) {
        list.add(RandomText.words(random, random.nextInt(60)));
      }
      list.add(query % 3 == 0 ? LONG : RandomText.words(random, 90));
      texts.add(list);
    }
    return texts;
  }

  @Test
  void givesTheLogitsAndAttentionOfTheOracle() throws IOException {
    int edge = 0;
    try (CrossEncoder encoder = open(model);
        AttentionTaps taps = AttentionTaps.open(model, SHAPE.layers(), 2);
        HuggingFaceTokenizer pairs = pairTokenizer()) {
      assertEquals(SHAPE.heads(), taps.heads());
      for (List<String> texts : texts()) {
        String query = texts.getFirst();
        List<String> passages = texts.subList(1, texts.size());
        float[] logits = encoder.score(query, passages);
        List<AttentionTaps.Mass> mass = taps.mass(query, passages);
        assertTrue(Arrays.stream(toDouble(logits)).distinct().count() > 10, "logits all alike");
        for (int i = 0; i < logits.length; i++) {
          Encoding pair = pairs.encode(query, passages.get(i));
          BertOracle.Result oracle = expected(pair);
          assertEquals(oracle.logit(), logits[i], TOLERANCE, passages.get(i));
          assertMass(oracle, pair, mass.get(i));
          edge += pair.getIds().length == 512 ? 1 : 0;
        }
      }
    }
    assertTrue(edge >= 3, "no input of 512 tokens");
  }

  @Test
  void matchesAreTheAttentionOfTheOracleTokenByToken() throws IOException {
    try (AttentionTaps taps = AttentionTaps.open(model, SHAPE.layers(), 2);
        HuggingFaceTokenizer pairs = pairTokenizer()) {
      for (String passage : List.of("", "what the quick fox said", LONG)) {
        Encoding pair = pairs.encode("quick fox", passage);
        double[][][] wanted = expected(pair).attention();
        AttentionTaps.Matches matches = taps.matches("quick fox", passage);
        assertEquals(pair.getIds().length - 5, matches.passageTokens().length);
        for (int head = 0; head < wanted.length; head++) {
          for (int i = 0; i < 2; i++) {
            for (int t = 0; t < matches.passageTokens().length; t++) {
              assertEquals(wanted[head][i + 1][t + 4], matches.attention()[head][i][t], TOLERANCE);
            }
          }
        }
        assertEquals(List.of("quick", "fox"), taps.tokens(matches.queryTokens()));
      }
    }
  }

  @Test
  void termsAreEncodedByHiddenStates() throws IOException {
    try (HuggingFaceTokenizer single = pairTokenizer()) {
      List<double[][]> states = expected(single.encode("foxes")).states();
      assertTermIsEncodedBy(states.getLast(), SemanticBM25Model.LAST_LAYER);
      for (int layer = 1; layer <= states.size(); layer++) {
        assertTermIsEncodedBy(states.get(layer - 1), layer);
      }
      assertThrows(
          IllegalArgumentException.class,
          () -> new TermEncoder(model, states.size() + 1, Runnable::run));
      assertThrows(IllegalArgumentException.class, () -> new TermEncoder(model, -1, Runnable::run));
    }
  }

  private void assertTermIsEncodedBy(double[][] states, int layer) throws IOException {
    assertEquals(3, states.length, "one piece between [CLS] and [SEP]");
    try (TermEncoder encoder = new TermEncoder(model, layer, Runnable::run)) {
      float[] vector = encoder.encodeWords(List.of("foxes"), Progress.SILENT)[0];
      for (int d = 0; d < vector.length; d++) {
        assertEquals(states[1][d], vector[d], TOLERANCE);
      }
    }
  }

  private static void assertMass(BertOracle.Result oracle, Encoding pair, AttentionTaps.Mass mass) {
    int passageStart = mass.queryTokens().length + 2;
    int passageEnd = pair.getIds().length - 1;
    for (int head = 0; head < oracle.attention().length; head++) {
      for (int i = 0; i < mass.queryTokens().length; i++) {
        double sum = 0;
        for (int t = passageStart; t < passageEnd; t++) {
          sum += oracle.attention()[head][i + 1][t];
        }
        assertEquals(sum, mass.of(head, i), TOLERANCE);
        assertEquals(
            oracle.attention()[head][i + 1][passageEnd], mass.toSeparator(head, i), TOLERANCE);
      }
    }
  }

  private static HuggingFaceTokenizer pairTokenizer() throws IOException {
    return HuggingFaceTokenizer.builder()
        .optTokenizerPath(model.tokenizer())
        .optPadding(false)
        .optTruncateSecondOnly()
        .optMaxLength(512)
        .build();
  }

  @Test
  void cutGraphsGiveTheTapsOfTheFullOne() throws IOException {
    List<String> passages = texts().getFirst();
    OnnxGraph tapped = AttentionTap.all(OnnxGraph.read(model.onnx()));
    assertEquals(List.of("logits", OnnxGraph.ATTENTION_MASS), tapped.outputs());
    PairModel full = PairModel.open(model, tapped);
    float[][] all = new float[passages.size()][];
    try (PairEngine engine =
        new PairEngine(full, OnnxGraph.ATTENTION_MASS, 1, 512, LongPassages.FIRST_WINDOW)) {
      engine
          .submit(
              engine.queryTokens("quick fox"),
              passages,
              Marks.PASSAGE_AND_SEPARATOR,
              (batch, output) -> {
                float[] values = new float[output.getFloatBuffer().remaining()];
                output.getFloatBuffer().get(values);
                int size = values.length / batch.windows().size();
                for (int row = 0; row < batch.windows().size(); row++) {
                  all[batch.windows().get(row).passage()] =
                      Arrays.copyOfRange(values, row * size, (row + 1) * size);
                }
              },
              all)
          .join();
    }
    for (int layers = 1; layers <= SHAPE.layers(); layers++) {
      try (AttentionTaps taps = AttentionTaps.open(model, layers, 1)) {
        List<AttentionTaps.Mass> mass = taps.mass("quick fox", passages);
        for (int i = 0; i < all.length; i++) {
          for (int head = 0; head < layers * SHAPE.heads(); head++) {
            // two tokens of the query after [CLS], with two marks each
            assertEquals(all[i][head * 6 + 2], mass.get(i).of(head, 0), 1e-6);
            assertEquals(all[i][head * 6 + 5], mass.get(i).toSeparator(head, 1), 1e-6);
          }
        }
      }
    }
    OnnxGraph cut = AttentionTap.cutAfter(OnnxGraph.read(model.onnx()), 1);
    assertEquals(1, cut.layers());
    assertTrue(cut.parameters() < tapped.parameters(), "weights of layers cut off are kept");
    assertThrows(IllegalArgumentException.class, () -> AttentionTap.cutAfter(tapped, 4));
  }

  @Test
  void acceptsGraphsWithoutTokenTypesAndWithFlatLogits() throws IOException {
    ModelProto.Builder flat = BERT.onnx(false).toBuilder();
    flat.getGraphBuilder()
        .addInitializer(Tensors.longs("flat", new long[] {-1}, 1))
        .addNode(Nodes.node("Reshape", "score", "logits", "flat"))
        .clearOutput()
        .addOutput(Nodes.value("score", TensorProto.DataType.FLOAT, "batch_size"));
    try (CrossEncoder encoder = open(write(folder, flat.build()));
        HuggingFaceTokenizer pairs = pairTokenizer()) {
      int[] ids =
          Arrays.stream(pairs.encode("a fox", "some text").getIds())
              .mapToInt(i -> (int) i)
              .toArray();
      float logit = encoder.score("a fox", List.of("some text"))[0];
      assertEquals(ORACLE.run(ids, new int[ids.length]).logit(), logit, TOLERANCE);
    }
  }

  @Test
  void computesTheLastLayerForTheFirstTokenOnly() throws IOException {
    OnnxGraph graph = OnnxGraph.read(model.onnx());
    OnnxGraph quantized = DynamicQuantization.apply(graph);
    assertNotSame(graph, FirstTokenOnly.apply(graph), "the usual form is not recognised");
    assertNotSame(quantized, FirstTokenOnly.apply(quantized), "nor when quantised");
    // a model that reads all tokens must stay as it is
    ModelProto.Builder mean = BERT.onnx(true).toBuilder();
    String states =
        mean.getGraph().getNodeList().stream()
            .filter(node -> node.getName().equals("/bert/pooler/first"))
            .findFirst()
            .orElseThrow()
            .getInput(0);
    mean.getGraphBuilder()
        .addOutput(Nodes.value(states, TensorProto.DataType.FLOAT, "batch", "tokens", 32));
    OnnxGraph whole = new OnnxGraph("mean", mean.build());
    assertEquals(whole, FirstTokenOnly.apply(whole));
    // one scale for all tokens would become another
    ModelProto.Builder shared = BERT.onnx(true).toBuilder();
    for (var node : shared.getGraphBuilder().getNodeBuilderList()) {
      if (node.getOpType().equals("Erf")) {
        node.setOpType("DynamicQuantizeLinear").addOutput(node.getName() + "/scale");
      }
    }
    OnnxGraph theirs = new OnnxGraph("theirs", shared.build());
    assertEquals(theirs, FirstTokenOnly.apply(theirs));
  }

  @Test
  void editsGraphsWhoseWeightsAreConstantNodes() throws IOException {
    ModelProto.Builder constants = BERT.onnx(true).toBuilder();
    GraphProto.Builder graph = constants.getGraphBuilder().clearInitializer().clearNode();
    for (TensorProto weight : BERT.onnx(true).getGraph().getInitializerList()) {
      if (weight.getDimsCount() == 2 && weight.getDataType() == 1) {
        graph.addNode(
            Nodes.node("Constant", weight.getName())
                .addAttribute(
                    AttributeProto.newBuilder()
                        .setName("value")
                        .setType(AttributeProto.AttributeType.TENSOR)
                        .setT(weight.toBuilder().clearName())));
      } else {
        graph.addInitializer(weight);
      }
    }
    graph.addAllNode(BERT.onnx(true).getGraph().getNodeList());
    NeuralModel written = write(folder.resolve("constants"), constants.build());
    assertArrayEquals(WordEmbeddings.read(model.onnx())[9], WordEmbeddings.read(written.onnx())[9]);
    assertArrayEquals(quantizedScores(model), quantizedScores(written), 1e-5f);
  }

  private float[] quantizedScores(NeuralModel source) throws IOException {
    Path int8 = Files.createTempDirectory(folder, "int8");
    DynamicQuantization.apply(OnnxGraph.read(source.onnx())).write(int8.resolve("model.onnx"));
    Files.copy(source.tokenizer(), int8.resolve("tokenizer.json"));
    try (CrossEncoder encoder = open(NeuralModel.at(int8))) {
      return encoder.score("quick fox", texts().getFirst());
    }
  }

  @Test
  void quantisesASharedMatrixOnce() throws IOException {
    ModelProto.Builder shared = BERT.onnx(true).toBuilder();
    for (var node : shared.getGraphBuilder().getNodeBuilderList()) {
      if (node.getOpType().equals("MatMul") && node.getInput(1).contains("intermediate")) {
        node.setInput(1, "encoder.layer.0.intermediate.dense.weight");
      }
    }
    OnnxGraph quantized = DynamicQuantization.apply(new OnnxGraph("shared", shared.build()));
    GraphProto graph = ModelProto.parseFrom(quantized.bytes()).getGraph();
    List<String> names = graph.getInitializerList().stream().map(TensorProto::getName).toList();
    assertEquals(names.stream().distinct().toList(), names);
    quantizedScores(write(folder.resolve("shared"), shared.build()));
  }

  @Test
  void keepsWhatGraphsInsideTheGraphRead() throws IOException {
    ModelProto.Builder branching = BERT.onnx(true).toBuilder();
    GraphProto same =
        GraphProto.newBuilder()
            .setName("same")
            .addNode(Nodes.node("Identity", "inner", "logits"))
            .addOutput(Nodes.value("inner", TensorProto.DataType.FLOAT, "batch", 1))
            .build();
    branching
        .getGraphBuilder()
        .addInitializer(
            TensorProto.newBuilder()
                .setName("yes")
                .setDataType(TensorProto.DataType.BOOL.getNumber())
                .addInt32Data(1))
        .addNode(
            Nodes.node("If", "score", "yes")
                .addAttribute(graphAttribute("then_branch", same))
                .addAttribute(graphAttribute("else_branch", same)))
        .clearOutput()
        .addOutput(Nodes.value("score", TensorProto.DataType.FLOAT, "batch", 1));
    NeuralModel written = write(folder.resolve("if"), branching.build());
    assertArrayEquals(quantizedScores(model), quantizedScores(written), 1e-5f);
    OnnxGraph graph = OnnxGraph.read(written.onnx());
    assertEquals(graph, FirstTokenOnly.apply(graph));
  }

  private static AttributeProto graphAttribute(String name, GraphProto graph) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.GRAPH)
        .setG(graph)
        .build();
  }

  @Test
  void integerWeightsStayCloseAndDoNotDependOnTheBatch() throws IOException {
    Path int8 = shared.resolve("int8");
    Files.createDirectories(int8);
    DynamicQuantization.apply(OnnxGraph.read(model.onnx())).write(int8.resolve("model.onnx"));
    Files.copy(model.tokenizer(), int8.resolve("tokenizer.json"));
    assertTrue(Files.size(int8.resolve("model.onnx")) < Files.size(model.onnx()) / 3);
    List<Double> exactly = new ArrayList<>();
    List<Double> closely = new ArrayList<>();
    try (CrossEncoder exact = open(model);
        CrossEncoder encoder = open(NeuralModel.at(int8))) {
      for (List<String> texts : texts()) {
        List<String> passages = texts.subList(1, texts.size());
        float[] wanted = exact.score(texts.getFirst(), passages);
        float[] logits = encoder.score(texts.getFirst(), passages);
        for (int i = 0; i < logits.length; i++) {
          exactly.add((double) wanted[i]);
          closely.add((double) logits[i]);
          float alone = encoder.score(texts.getFirst(), passages.subList(i, i + 1))[0];
          assertEquals(alone, logits[i], 1e-4);
        }
      }
    }
    double r =
        new PearsonsCorrelation()
            .correlation(
                exactly.stream().mapToDouble(e -> e).toArray(),
                closely.stream().mapToDouble(e -> e).toArray());
    // 32 random dimensions are far more sensitive than a trained model
    assertTrue(r > 0.99, "r = " + r);
    try (AttentionTaps taps = AttentionTaps.open(NeuralModel.at(int8), 2, 1);
        AttentionTaps wanted = AttentionTaps.open(model, 2, 1)) {
      assertArrayEquals(
          wanted.mass("quick fox", List.of(LONG)).getFirst().passage(),
          taps.mass("quick fox", List.of(LONG)).getFirst().passage(),
          0.1f);
    }
    float[][] floats = WordEmbeddings.read(model.onnx());
    assertArrayEquals(floats[999], WordEmbeddings.read(int8.resolve("model.onnx"))[999], 0.03f);
    OnnxGraph again = OnnxGraph.read(int8.resolve("model.onnx"));
    assertTrue(again.isQuantized());
    assertThrows(IOException.class, () -> DynamicQuantization.apply(again));
  }

  @Test
  void scoresLongPassagesByTheirFirstOrBestWindow() throws IOException {
    String passage = LONG + " index " + RandomText.words(new Random(1), 300);
    int[] tokens;
    try (PairTokenizer tokenizer = new PairTokenizer(model.tokenizer())) {
      tokens = tokenizer.encode(passage);
    }
    int room = 128 - 3 - 2;
    double best = Double.NEGATIVE_INFINITY;
    double first = 0;
    for (int start = 0; ; start += (room + 1) / 2) {
      int end = Math.min(tokens.length, start + room);
      double logit = window(Arrays.copyOfRange(tokens, start, end));
      best = Math.max(best, logit);
      first = start == 0 ? logit : first;
      if (end == tokens.length) {
        break;
      }
    }
    CrossEncoder.Builder builder = CrossEncoder.builder(model).threads(2).maxTokens(128);
    try (CrossEncoder encoder = builder.open()) {
      assertEquals(first, encoder.score("quick fox", List.of(passage))[0], TOLERANCE);
    }
    try (CrossEncoder encoder = builder.longPassages(LongPassages.BEST_WINDOW).open()) {
      float[] scores = encoder.score("quick fox", List.of("short", passage, ""));
      assertEquals(best, scores[1], TOLERANCE);
      assertTrue(best > first, "the first window is the best by chance");
      CrossEncoder.Reading reading = encoder.read("quick fox", passage);
      assertEquals(List.of("quick", "fox"), reading.queryTokens());
      assertEquals(tokens.length, reading.passageTokens().size());
      assertEquals(room, reading.windowTokens());
      assertTrue(reading.windows() > 2);
    }
  }

  private static double window(int[] passage) {
    int[] ids = new int[5 + passage.length];
    int[] types = new int[ids.length];
    System.arraycopy(new int[] {101, 4248, 4419, 102}, 0, ids, 0, 4);
    System.arraycopy(passage, 0, ids, 4, passage.length);
    ids[ids.length - 1] = 102;
    Arrays.fill(types, 4, types.length, 1);
    return ORACLE.run(ids, types).logit();
  }

  @Test
  void neverCutsTheQueryForALongPassage() throws IOException {
    try (CrossEncoder encoder = CrossEncoder.builder(model).maxTokens(128).open()) {
      CrossEncoder.Reading reading = encoder.read("quick fox jumps", LONG);
      assertEquals(3, reading.queryTokens().size());
      assertEquals(0, reading.queryCut());
      reading = encoder.read(LONG, LONG);
      assertEquals(128 - 3 - 64, reading.queryTokens().size());
      assertTrue(reading.queryCut() > 0);
      assertTrue(Float.isFinite(encoder.score(LONG, List.of(LONG))[0]));
    }
  }

  @Test
  void callersShareTheEngineAndGetWhatTheyWouldGetAlone() throws Exception {
    List<List<String>> texts = texts();
    List<float[]> alone = new ArrayList<>();
    try (CrossEncoder encoder = CrossEncoder.builder(model).threads(1).open()) {
      for (List<String> list : texts) {
        alone.add(encoder.score(list.getFirst(), list));
      }
    }
    try (CrossEncoder encoder = open(model)) {
      List<CompletableFuture<Void>> callers = new ArrayList<>();
      for (int caller = 0; caller < 4; caller++) {
        int seed = caller;
        callers.add(
            CompletableFuture.runAsync(
                () -> {
                  Random random = new Random(seed);
                  for (int round = 0; round < 25; round++) {
                    int i = random.nextInt(texts.size());
                    List<String> list = texts.get(i);
                    try {
                      // other batches may differ in the last bits of a float
                      assertArrayEquals(alone.get(i), encoder.score(list.getFirst(), list), 1e-5f);
                    } catch (IOException e) {
                      throw new IllegalStateException(e);
                    }
                  }
                }));
      }
      for (CompletableFuture<Void> caller : callers) {
        caller.get(2, TimeUnit.MINUTES);
      }
    }
  }

  @Test
  void stopsWhenTimeIsUpOrWhenTold() throws Exception {
    List<String> many = Collections.nCopies(5_000, LONG);
    try (CrossEncoder encoder = open(model)) {
      TimeoutException late =
          assertThrows(
              TimeoutException.class, () -> encoder.score("quick fox", many, Duration.ofNanos(1)));
      assertTrue(late.getMessage().startsWith("5000 passages were not scored"), late.getMessage());
      assertThrows(
          TimeoutException.class,
          () -> encoder.score("quick fox", List.of(), Duration.ofNanos(1)),
          "also if there is nothing to wait for");
      Future<float[]> cancelled = encoder.submit("quick fox", many);
      assertTrue(cancelled.cancel(true));
      assertThrows(CancellationException.class, cancelled::get);
      Thread.currentThread().interrupt();
      assertThrows(InterruptedIOException.class, () -> encoder.score("quick fox", many));
      assertTrue(Thread.interrupted());
      assertEquals(
          20, encoder.score("quick fox", many.subList(0, 20), Duration.ofMinutes(1)).length);
    }
  }

  @Test
  void closingWhileScoringIsSafe() throws Exception {
    for (int round = 0; round < 10; round++) {
      CrossEncoder encoder = open(model);
      List<Future<float[]>> running = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        running.add(encoder.submit("quick fox", Collections.nCopies(2_000, LONG)));
      }
      Thread.sleep(5L * round);
      encoder.close();
      encoder.close();
      for (Future<float[]> scores : running) {
        ExecutionException failure = assertThrows(ExecutionException.class, scores::get);
        assertInstanceOf(IllegalStateException.class, failure.getCause());
      }
      assertThrows(IllegalStateException.class, () -> encoder.score("a", List.of("b")));
      assertThrows(IllegalStateException.class, () -> encoder.read("a", "b"));
    }
  }

  @Test
  void closingWhileTokenisingIsSafe() throws Exception {
    String query = "retrieval ".repeat(20_000);
    for (int round = 0; round < 5; round++) {
      CrossEncoder encoder = open(model);
      CountDownLatch reading = new CountDownLatch(4);
      List<CompletableFuture<Void>> callers = new ArrayList<>();
      for (int caller = 0; caller < 4; caller++) {
        callers.add(
            CompletableFuture.runAsync(
                () -> {
                  while (encoder.read(query, query).queryCut() > 0) {
                    reading.countDown();
                  }
                }));
      }
      reading.await();
      encoder.close();
      for (CompletableFuture<Void> caller : callers) {
        ExecutionException e =
            assertThrows(ExecutionException.class, () -> caller.get(1, TimeUnit.MINUTES));
        assertInstanceOf(IllegalStateException.class, e.getCause());
        assertTrue(e.getMessage().contains("closed"), e.getMessage());
      }
    }
  }

  @Test
  void refusesModelsThatAreNoCrossEncoders() throws IOException {
    // no input_ids
    assertRefused("inputs are [ids, attention_mask]", renamed("input_ids", "ids"));
    // an encoder
    NeuralModel encoder = TinyModel.write(shared.resolve("encoder"), TinyModel.Weights.FLOAT);
    assertRefused("no output of one logit a pair", encoder);
    // three labels
    ModelProto.Builder labels = BERT.onnx(true).toBuilder();
    labels
        .getGraphBuilder()
        .addNode(
            Nodes.node("Concat", "three", "logits", "logits", "logits")
                .addAttribute(Nodes.attribute("axis", 1)))
        .clearOutput()
        .addOutput(Nodes.value("three", TensorProto.DataType.FLOAT, "batch", 3));
    assertRefused("no output of one logit a pair", write(folder, labels.build()));
    // another model's vocabulary
    TinyBert small = new TinyBert(new TinyBert.Shape(1000, 512, 1, 8, 2, 8), 1);
    assertRefused("30522 tokens but", write(folder, small.onnx(true)));
    // rows of tokens that the tokenizer lacks
    TinyBert large = new TinyBert(new TinyBert.Shape(30_531, 512, 1, 8, 2, 8), 1);
    open(write(folder, large.onnx(true))).close();
  }

  @Test
  void refusesLogitsThatAreNoNumbers() throws IOException {
    TinyBert broken = new TinyBert(SHAPE, 7);
    broken.weights.get("pooler.dense.bias")[3] = Float.NaN;
    assertRefused("gives the logit NaN", write(folder, broken.onnx(true)));
  }

  @Test
  void readsWeightsInAnotherFileBesideTheModel() throws IOException {
    NeuralModel whole = write(Files.createDirectory(folder.resolve("whole")), BERT.onnx(true));
    Path apart = Files.createDirectory(folder.resolve("apart"));
    ModelProto.Builder model = BERT.onnx(true).toBuilder();
    ByteArrayOutputStream weights = new ByteArrayOutputStream();
    for (var tensor : model.getGraphBuilder().getInitializerBuilderList()) {
      byte[] raw = tensor.getRawData().toByteArray();
      if (raw.length > 0) {
        tensor.clearRawData().setDataLocation(TensorProto.DataLocation.EXTERNAL);
        entry(tensor, "location", "weights.bin");
        entry(tensor, "offset", Integer.toString(weights.size()));
        entry(tensor, "length", Integer.toString(raw.length));
        weights.writeBytes(raw);
      }
    }
    assertTrue(weights.size() > 1000);
    NeuralModel onnx = write(apart, model.build());
    assertRefused("weights.bin, which is missing", onnx);
    Files.write(apart.resolve("weights.bin"), weights.toByteArray());
    float expected;
    try (CrossEncoder encoder = open(whole)) {
      expected = encoder.score("cheap laptop", List.of("an inexpensive notebook"))[0];
    }
    try (CrossEncoder encoder = open(onnx)) {
      assertEquals(
          expected, encoder.score("cheap laptop", List.of("an inexpensive notebook"))[0], 0f);
    }
    Files.write(apart.resolve("weights.bin"), new byte[100]);
    assertRefused("too short", onnx);
    ModelProto.Builder outside = BERT.onnx(true).toBuilder();
    TensorProto.Builder first = outside.getGraphBuilder().getInitializerBuilder(0);
    first.setDataLocation(TensorProto.DataLocation.EXTERNAL);
    entry(first, "location", "../weights.bin");
    assertRefused("no file beside it", write(apart, outside.build()));
  }

  private static void entry(TensorProto.Builder tensor, String key, String value) {
    tensor.addExternalDataBuilder().setKey(key).setValue(value);
  }

  @Test
  void refusesToQuantiseHalves() throws IOException {
    ModelProto.Builder halves = BERT.onnx(true).toBuilder();
    for (var tensor : halves.getGraphBuilder().getInitializerBuilderList()) {
      if (tensor.getDimsCount() == 2 && !tensor.getName().contains("embeddings")) {
        tensor.setDataType(TensorProto.DataType.FLOAT16.getNumber());
      }
    }
    OnnxGraph graph = new OnnxGraph("half.onnx", halves.build());
    IOException e = assertThrows(IOException.class, () -> DynamicQuantization.apply(graph));
    assertTrue(e.getMessage().contains("give the float model"), e.getMessage());
  }

  @Test
  void refusesFusedAttentionWhereItMustLookInside() throws IOException {
    ModelProto.Builder fused = BERT.onnx(true).toBuilder();
    for (var node : fused.getGraphBuilder().getNodeBuilderList()) {
      if (node.getOpType().equals("Softmax")) {
        node.setOpType("Attention").setDomain("com.microsoft");
      }
    }
    OnnxGraph graph = new OnnxGraph("model.onnx", fused.build());
    IOException e = assertThrows(IOException.class, () -> AttentionTap.all(graph));
    assertTrue(e.getMessage().contains("fused into 'Attention'"), e.getMessage());
    NeuralModel written = write(folder, fused.build());
    e = assertThrows(IOException.class, () -> AttentionTaps.open(written, 1, 1));
    assertTrue(e.getMessage().contains("give a plain export"), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.3, 0.99})
  void refusesATruncatedFile(double part) throws IOException {
    NeuralModel whole = write(folder, BERT.onnx(true));
    byte[] bytes = Files.readAllBytes(whole.onnx());
    Files.write(whole.onnx(), Arrays.copyOf(bytes, (int) (bytes.length * part)));
    assertRefused("fetch", whole);
  }

  @Test
  void refusesAFolderWithoutATokenizerOrWithAnother() throws IOException {
    NeuralModel whole = write(folder, BERT.onnx(true));
    Files.writeString(whole.tokenizer(), "{\"model\": {}}");
    assertRefused("no vocabulary", whole);
    Files.delete(whole.tokenizer());
    IOException e = assertThrows(IOException.class, () -> NeuralModel.at(folder));
    assertTrue(e.getMessage().contains("no tokenizer.json"), e.getMessage());
  }

  @Test
  void takesATokenizerFromAboveForAFolderOfOnnxFilesOnly() throws IOException {
    NeuralModel whole = write(folder.resolve("onnx"), BERT.onnx(true));
    Files.move(whole.tokenizer(), folder.resolve("tokenizer.json"));
    assertEquals(folder.resolve("tokenizer.json"), NeuralModel.at(folder).tokenizer());
    assertEquals(folder.resolve("tokenizer.json"), NeuralModel.at(whole.onnx()).tokenizer());
    Path other = Files.move(folder.resolve("onnx"), folder.resolve("other"));
    assertThrows(IOException.class, () -> NeuralModel.at(other));
  }

  @Test
  void refusesSettingsOutOfRange() {
    assertThrows(IllegalArgumentException.class, () -> CrossEncoder.builder(model).threads(0));
    assertThrows(IllegalArgumentException.class, () -> AttentionTaps.open(model, 1, 0));
    assertThrows(IllegalArgumentException.class, () -> CrossEncoder.builder(model).maxTokens(127));
  }

  @Test
  void readsTheLimitFromConfigAndGraph() throws IOException {
    TinyBert shorter = new TinyBert(new TinyBert.Shape(30_522, 200, 1, 8, 2, 8), 1);
    NeuralModel written = write(folder, shorter.onnx(true));
    try (CrossEncoder encoder = open(written)) {
      assertEquals(200 - 3 - 1, encoder.read("a", LONG).windowTokens());
    }
    Files.writeString(folder.resolve("config.json"), "{\"max_position_embeddings\": 150}");
    try (CrossEncoder encoder = open(written)) {
      assertEquals(150 - 3 - 1, encoder.read("a", LONG).windowTokens());
    }
    Files.writeString(folder.resolve("config.json"), "{\"max_position_embeddings\": 64}");
    assertRefused("reads only 64 tokens at a time", written);
    Files.writeString(folder.resolve("config.json"), "{");
    assertRefused("config.json: not JSON", written);
  }

  private NeuralModel renamed(String input, String name) throws IOException {
    ModelProto.Builder renamed = BERT.onnx(false).toBuilder();
    for (var value : renamed.getGraphBuilder().getInputBuilderList()) {
      value.setName(value.getName().equals(input) ? name : value.getName());
    }
    for (var node : renamed.getGraphBuilder().getNodeBuilderList()) {
      for (int i = 0; i < node.getInputCount(); i++) {
        node.setInput(i, node.getInput(i).equals(input) ? name : node.getInput(i));
      }
    }
    return write(folder, renamed.build());
  }

  private static void assertRefused(String message, NeuralModel refused) {
    IOException e = assertThrows(IOException.class, () -> open(refused));
    assertTrue(e.getMessage().contains(message), e.getMessage());
    assertTrue(e.getMessage().contains(refused.onnx().getParent().toString()), e.getMessage());
  }

  private static double[] toDouble(float[] values) {
    double[] doubles = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      doubles[i] = values[i];
    }
    return doubles;
  }
}
