package org.semanticbm25.onnx.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.translator.CrossEncoderTranslator;
import ai.djl.inference.Predictor;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.util.StringPair;
import ai.onnxruntime.OrtSession;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.scoring.onnx.OnnxScoringModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.graph.DynamicQuantization;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.testing.TinyBert;

/**
 * Throughput of reranking against two other engines for the JVM, on the same ONNX file with the
 * same number of threads, alternated in one process. Not run by default:
 *
 * <pre>./mvnw -q test -pl onnx-models -am -Djacoco.skip -Dtest=RerankBenchmark
 *     -Dsurefire.failIfNoSpecifiedTests=false</pre>
 *
 * <p>The model is random and of the size of MiniLM-L6. Candidates are the top 100 passages of TREC
 * DL 2019 queries, as BM25 returns them.
 */
class RerankBenchmark {
  private static final int THREADS = 2;
  private static final int ROUNDS = 7;
  private static final int QUERIES = 3;
  private static final Path COLLECTION = Path.of("../../shared/datasets/trec-dl-2019");

  @TempDir Path folder;

  private interface Engine {
    float[] score(String query, List<String> passages) throws Exception;
  }

  @Test
  void comparesThroughput() throws Exception {
    Assumptions.assumeTrue(Files.exists(COLLECTION), "no " + COLLECTION);
    Map<String, List<String>> candidates = candidates();
    NeuralModel model = model(folder.resolve("float"));
    NeuralModel int8 = quantized(model, folder.resolve("int8"));
    // first, because DJL wants to make the runtime's environment itself
    try (ZooModel<StringPair, float[]> djl = djl(model);
        Predictor<StringPair, float[]> predictor = djl.newPredictor();
        CrossEncoder ours = CrossEncoder.builder(model).threads(THREADS).open();
        CrossEncoder oursInt8 = CrossEncoder.builder(int8).threads(THREADS).open()) {
      // langchain4j closes them
      OrtSession.SessionOptions options = new OrtSession.SessionOptions();
      options.setIntraOpNumThreads(THREADS);
      OnnxScoringModel langchain4j =
          new OnnxScoringModel(
              model.onnx().toString(), options, model.tokenizer().toString(), 512, false);
      Map<String, Engine> engines = new LinkedHashMap<>();
      engines.put("ours", ours::score);
      engines.put("ours, int8", oursInt8::score);
      engines.put("langchain4j-onnx-scoring", (q, p) -> langchain4j(langchain4j, q, p));
      engines.put("DJL cross-encoder", (q, p) -> djl(predictor, q, p));
      for (int few : new int[] {1, 2, 5, 10}) {
        Map<String, List<String>> some = new LinkedHashMap<>(candidates);
        some.replaceAll((query, passages) -> passages.subList(0, few));
        report(measure(engines, some), some);
      }
      Map<String, double[]> seconds = measure(engines, candidates);
      report(seconds, candidates);
      double overhead = overhead(model, candidates);
      System.err.printf(
          "tokenising, sorting and packing: %.4f s a query, %.1f %% of the threads' time, int8 %.1f"
              + " %%%n",
          overhead,
          100 * overhead / THREADS / median(seconds.get("ours")),
          100 * overhead / THREADS / median(seconds.get("ours, int8")));
      assertTrue(overhead <= 0.05 * THREADS * median(seconds.get("ours, int8")));
      double mine = median(seconds.get("ours"));
      assertTrue(median(seconds.get("langchain4j-onnx-scoring")) >= 2.0 * mine);
      assertTrue(median(seconds.get("DJL cross-encoder")) >= 1.5 * mine);
      assertTrue(mine >= 1.3 * median(seconds.get("ours, int8")));
    }
  }

  private static Map<String, double[]> measure(
      Map<String, Engine> engines, Map<String, List<String>> candidates) throws Exception {
    Map<String, double[]> seconds = new LinkedHashMap<>();
    for (int round = -1; round < ROUNDS; round++) {
      for (var engine : engines.entrySet()) {
        long start = System.nanoTime();
        for (var entry : candidates.entrySet()) {
          float[] scores = engine.getValue().score(entry.getKey(), entry.getValue());
          assertEquals(entry.getValue().size(), scores.length);
        }
        if (round >= 0) {
          seconds.computeIfAbsent(engine.getKey(), key -> new double[ROUNDS])[round] =
              (System.nanoTime() - start) / 1e9 / candidates.size();
        }
      }
    }
    // all engines read the same of the same
    var first = candidates.entrySet().iterator().next();
    float[] wanted = engines.get("ours").score(first.getKey(), first.getValue());
    for (String peer : List.of("langchain4j-onnx-scoring", "DJL cross-encoder")) {
      float[] scores = engines.get(peer).score(first.getKey(), first.getValue());
      for (int i = 0; i < wanted.length; i++) {
        assertEquals(wanted[i], scores[i], 1e-3, peer);
      }
    }
    return seconds;
  }

  /** Seconds of one thread that a query with its candidates takes beside the runtime. */
  private static double overhead(NeuralModel model, Map<String, List<String>> candidates)
      throws Exception {
    PairModel opened = PairModel.open(model, OnnxGraph.read(model.onnx()));
    double[] seconds = new double[ROUNDS];
    try (PairEngine engine = new PairEngine(opened, "logits", 1, 512, LongPassages.FIRST_WINDOW)) {
      InputBuffers buffers = new InputBuffers(opened);
      for (int round = -1; round < ROUNDS; round++) {
        long start = System.nanoTime();
        for (var entry : candidates.entrySet()) {
          int[] query = engine.queryTokens(entry.getKey());
          int room = engine.room(query.length);
          int[][] tokens = new int[entry.getValue().size()][];
          List<PairBatch.Window> windows = new ArrayList<>();
          for (int i = 0; i < tokens.length; i++) {
            String passage = entry.getValue().get(i);
            tokens[i] = engine.tokenize(tokenizer -> tokenizer.encodeStart(passage, room));
            windows.addAll(LongPassages.FIRST_WINDOW.windows(i, tokens[i].length, room));
          }
          for (PairBatch batch :
              PairBatch.of(windows, query.length + opened.tokenizer().specialTokens(), THREADS)) {
            buffers.pack(batch, query, tokens, Marks.PASSAGE_AND_SEPARATOR).close();
          }
        }
        if (round >= 0) {
          seconds[round] = (System.nanoTime() - start) / 1e9 / candidates.size();
        }
      }
    }
    return median(seconds);
  }

  private static void report(Map<String, double[]> seconds, Map<String, List<String>> candidates) {
    StringBuilder lines = new StringBuilder();
    lines.append(
        "%d queries of %d candidates, %d threads%n"
            .formatted(candidates.size(), candidates.values().iterator().next().size(), THREADS));
    double mine = median(seconds.get("ours"));
    seconds.forEach(
        (name, values) ->
            lines.append(
                String.format(
                    Locale.ROOT,
                    "%-26s median %.4f s a query, %.2f times ours  %s%n",
                    name,
                    median(values),
                    median(values) / mine,
                    Arrays.toString(values))));
    System.err.println(lines);
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private static float[] langchain4j(OnnxScoringModel model, String query, List<String> passages) {
    List<Double> scores =
        model.scoreAll(passages.stream().map(TextSegment::from).toList(), query).content();
    float[] result = new float[scores.size()];
    for (int i = 0; i < result.length; i++) {
      result[i] = scores.get(i).floatValue();
    }
    return result;
  }

  private static ZooModel<StringPair, float[]> djl(NeuralModel model) throws Exception {
    HuggingFaceTokenizer tokenizer =
        HuggingFaceTokenizer.builder()
            .optTokenizerPath(model.tokenizer())
            .optPadding(true)
            .optTruncateSecondOnly()
            .optMaxLength(512)
            .build();
    return Criteria.builder()
        .setTypes(StringPair.class, float[].class)
        .optModelPath(model.onnx())
        .optEngine("OnnxRuntime")
        .optTranslator(
            CrossEncoderTranslator.builder(tokenizer)
                .optIncludeTokenTypes(true)
                .optSigmoid(false)
                .build())
        .optOption("interOpNumThreads", "1")
        .optOption("intraOpNumThreads", Integer.toString(THREADS))
        .build()
        .loadModel();
  }

  private static float[] djl(
      Predictor<StringPair, float[]> predictor, String query, List<String> passages)
      throws Exception {
    List<StringPair> pairs =
        passages.stream().map(passage -> new StringPair(query, passage)).toList();
    List<float[]> scores = predictor.batchPredict(pairs);
    float[] result = new float[scores.size()];
    for (int i = 0; i < result.length; i++) {
      result[i] = scores.get(i)[0];
    }
    return result;
  }

  private static NeuralModel model(Path folder) throws IOException {
    new TinyBert(TinyBert.Shape.MINILM_L6, 1).write(folder);
    NeuralModel bundled = NeuralModel.bundled(folder.resolve("bundled"));
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode tokenizer = (ObjectNode) mapper.readTree(bundled.tokenizer().toFile());
    // peers follow what the file says
    tokenizer.putNull("truncation").putNull("padding");
    mapper.writeValue(folder.resolve("tokenizer.json").toFile(), tokenizer);
    return NeuralModel.at(folder);
  }

  private static NeuralModel quantized(NeuralModel model, Path folder) throws IOException {
    Files.createDirectories(folder);
    DynamicQuantization.apply(OnnxGraph.read(model.onnx())).write(folder.resolve("model.onnx"));
    Files.copy(model.tokenizer(), folder.resolve("tokenizer.json"));
    return NeuralModel.at(folder);
  }

  private static Map<String, List<String>> candidates() throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    Map<String, String> passages = new LinkedHashMap<>();
    for (String line : Files.readAllLines(COLLECTION.resolve("corpus.jsonl"))) {
      JsonNode passage = mapper.readTree(line);
      passages.put(passage.get("_id").asText(), passage.get("text").asText());
    }
    Map<String, String> queries = new LinkedHashMap<>();
    for (String line : Files.readAllLines(COLLECTION.resolve("queries.jsonl"))) {
      JsonNode query = mapper.readTree(line);
      queries.put(query.get("_id").asText(), query.get("text").asText());
    }
    Map<String, List<String>> candidates = new LinkedHashMap<>();
    for (String line : Files.readAllLines(COLLECTION.resolve("bm25.run"))) {
      String[] columns = line.split("\\s+");
      String query = queries.get(columns[0]);
      if (candidates.containsKey(query) || candidates.size() < QUERIES) {
        candidates.computeIfAbsent(query, q -> new ArrayList<>()).add(passages.get(columns[2]));
      }
    }
    return candidates;
  }
}
