package org.semanticbm25.opensearch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.semanticbm25.opensearch.TestCluster.ok;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.opensearch.common.settings.Settings;
import org.semanticbm25.opensearch.TestCluster.Response;

/**
 * Measures a cluster in this process. Not part of the default run: give it the machine alone,
 *
 * <pre>./mvnw test -pl opensearch-plugin -am -Djacoco.skip -Dtest=ClusterStudy
 * -Dsurefire.failIfNoSpecifiedTests=false</pre>
 */
class ClusterStudy {
  private static final Path COLLECTION = Path.of("../../shared/datasets/nfcorpus");
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int ENRICHED = 600;
  private static final int ROUNDS = 7;
  private static final int CALLERS = 4;
  private static final int SECONDS = 15;

  @TempDir Path folder;

  private static List<String> texts(String file) throws Exception {
    Assumptions.assumeTrue(Files.exists(COLLECTION), "no " + COLLECTION);
    List<String> texts = new ArrayList<>();
    for (String line : Files.readAllLines(COLLECTION.resolve(file))) {
      texts.add(JSON.readTree(line).get("text").asText());
    }
    return texts;
  }

  /** An index of the collection, the first passages of which have soft terms. */
  private static TestCluster cluster(Path home, int nodes) throws Exception {
    TestCluster cluster = new TestCluster(home, nodes, Settings.EMPTY);
    ok(
        cluster.put(
            "/_ingest/pipeline/soft",
            """
            {"processors": [{"soft_terms": {"field": "body", "analyzer": "english", "mean_length": 140}}]}
            """));
    for (String index : List.of("plain", "soft")) {
      ok(
          cluster.put(
              "/" + index,
              """
              {"settings": {"number_of_shards": 6, "number_of_replicas": 0},
               "mappings": {"_source": {"excludes": ["body_soft"]}, "properties": {
                 "body": {"type": "text", "analyzer": "english"}, "body_soft": {"type": "rank_features"}}}}
              """));
    }
    return cluster;
  }

  private static double ingest(TestCluster cluster, String path, List<String> passages)
      throws Exception {
    long start = System.nanoTime();
    for (int from = 0; from < passages.size(); from += 100) {
      StringBuilder bulk = new StringBuilder();
      for (String text : passages.subList(from, Math.min(from + 100, passages.size()))) {
        bulk.append("{\"index\": {}}\n").append(JSON.writeValueAsString(Map.of("body", text)));
        bulk.append('\n');
      }
      assertEquals("false", ok(cluster.post(path, bulk.toString())).body().get("errors").asText());
    }
    return passages.size() / ((System.nanoTime() - start) / 1e9);
  }

  private static String query(String name, String text, Map<String, ?> options) throws Exception {
    Map<String, Object> field = new LinkedHashMap<>(options);
    field.put("query", text);
    return JSON.writeValueAsString(
        Map.of("_source", false, "query", Map.of(name, Map.of("body", field))));
  }

  /** What a query costs against match, by soft terms, and what ingestion costs. */
  @Test
  void overhead() throws Exception {
    List<String> passages = texts("corpus.jsonl");
    List<String> queries = texts("queries.jsonl").subList(0, 150);
    for (int nodes = 1; nodes <= 3; nodes++) {
      try (TestCluster cluster = cluster(folder.resolve("of" + nodes), nodes)) {
        ingest(cluster, "/plain/_bulk", passages);
        List<String> some = passages.subList(0, ENRICHED);
        double soft = ingest(cluster, "/soft/_bulk?pipeline=soft", some);
        double plain = ingest(cluster, "/plain/_bulk", some);
        ok(cluster.post("/_refresh", ""));
        System.out.printf(
            "%d nodes: %.0f passages a second with the processor, %.0f without%n",
            nodes, soft, plain);
        compare(cluster, queries, nodes);
        for (String system : List.of("match", "4", "contextual")) {
          throughput(cluster, queries, system, nodes);
        }
      }
    }
  }

  private static void compare(TestCluster cluster, List<String> queries, int nodes)
      throws Exception {
    Map<String, List<Double>> times = new LinkedHashMap<>();
    for (int round = 0; round <= ROUNDS; round++) {
      for (String system : List.of("match", "0", "2", "4", "8", "soft match", "contextual")) {
        double time = time(cluster, queries, system);
        if (round > 0) {
          times.computeIfAbsent(system, s -> new ArrayList<>()).add(time);
        }
      }
    }
    for (String system : List.of("0", "2", "4", "8")) {
      System.out.printf(
          "%d nodes: semantic_match with %s soft terms: %.2f x match%n",
          nodes, system, median(times, system, "match"));
    }
    System.out.printf(
        "%d nodes: contextual_match: %.2f x match on its index%n",
        nodes, median(times, "contextual", "soft match"));
  }

  /** How many queries four callers have answered a second, and how long that takes. */
  private static void throughput(
      TestCluster cluster, List<String> queries, String system, int nodes) throws Exception {
    List<Double> times = Collections.synchronizedList(new ArrayList<>());
    long end = System.nanoTime() + SECONDS * 1_000_000_000L;
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService pool = Executors.newFixedThreadPool(CALLERS)) {
      for (int caller = 0; caller < CALLERS; caller++) {
        int number = caller;
        running.add(
            pool.submit(
                () -> {
                  for (int i = number; System.nanoTime() < end; i += CALLERS) {
                    String text = queries.get(i % queries.size());
                    times.add(time(cluster, List.of(text), system) / 1e6);
                  }
                  return null;
                }));
      }
      for (Future<?> caller : running) {
        caller.get();
      }
    }
    System.out.printf(
        "%d nodes: %s, %d callers: %.0f queries a second, p50 %.1f ms, p99 %.1f ms%n",
        nodes,
        system,
        CALLERS,
        times.size() / (double) SECONDS,
        quantile(times, 0.5),
        quantile(times, 0.99));
  }

  private static double median(Map<String, List<Double>> times, String system, String base) {
    double[] ratios = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      ratios[i] = times.get(system).get(i) / times.get(base).get(i);
    }
    Arrays.sort(ratios);
    return ratios[ROUNDS / 2];
  }

  private static double time(TestCluster cluster, List<String> queries, String system)
      throws Exception {
    long start = System.nanoTime();
    for (String text : queries) {
      String body =
          switch (system) {
            case "match", "soft match" -> query("match", text, Map.of());
            case "contextual" -> query("contextual_match", text, Map.of());
            default ->
                query("semantic_match", text, Map.of("soft_terms", Integer.parseInt(system)));
          };
      String index = system.contains("soft") || system.equals("contextual") ? "soft" : "plain";
      ok(cluster.post("/" + index + "/_search?request_cache=false", body));
    }
    return System.nanoTime() - start;
  }

  /**
   * For a minute 64 callers ask for reranking, three times as often in all as the cluster can
   * answer, and another caller searches without.
   */
  @Test
  void overload() throws Exception {
    List<String> passages = texts("corpus.jsonl");
    List<String> queries = texts("queries.jsonl");
    try (TestCluster cluster = cluster(folder, 3)) {
      ingest(cluster, "/plain/_bulk", passages);
      ok(cluster.post("/_refresh", ""));
      Callers warmUp = new Callers(cluster, queries);
      warmUp.call(6, 20, Double.POSITIVE_INFINITY);
      Callers alone = new Callers(cluster, queries);
      alone.call(6, 30, Double.POSITIVE_INFINITY);
      double capacity = alone.whole.size() / 30.0;
      List<Double> idle = match(cluster, queries, 30);
      Callers callers = new Callers(cluster, queries);
      try (ExecutorService beside = Executors.newSingleThreadExecutor()) {
        Future<List<Double>> busy = beside.submit(() -> match(cluster, queries, 60));
        callers.call(64, 60, 3 * capacity);
        print("6 callers", alone);
        System.out.printf("capacity: %.2f requests a second%n", capacity);
        print("64 callers at 3 x capacity", callers);
        System.out.printf(
            "match beside them: p50 %.1f ms, idle %.1f; p99 %.1f ms, idle %.1f%n",
            quantile(busy.get(), 0.5),
            quantile(idle, 0.5),
            quantile(busy.get(), 0.99),
            quantile(idle, 0.99));
      }
      assertEquals(List.of(), callers.others);
    }
  }

  private static void print(String name, Callers callers) {
    System.out.printf(
        "%s: %d whole, p50 %.0f ms, p99 %.0f ms; %d refused, p50 %.0f ms, p99 %.0f ms%n",
        name,
        callers.whole.size(),
        quantile(callers.whole, 0.5),
        quantile(callers.whole, 0.99),
        callers.refused.size(),
        quantile(callers.refused, 0.5),
        quantile(callers.refused, 0.99));
  }

  private static List<Double> match(TestCluster cluster, List<String> queries, int seconds)
      throws Exception {
    List<Double> times = new ArrayList<>();
    long end = System.nanoTime() + seconds * 1_000_000_000L;
    for (int i = 0; System.nanoTime() < end; i++) {
      long start = System.nanoTime();
      ok(cluster.post("/plain/_search", query("match", queries.get(i % queries.size()), Map.of())));
      times.add((System.nanoTime() - start) / 1e6);
      Thread.sleep(10);
    }
    return times;
  }

  /** Callers that ask for reranking, and the times until they are answered, in milliseconds. */
  private static final class Callers {
    final List<Double> whole = Collections.synchronizedList(new ArrayList<>());
    final List<Double> refused = Collections.synchronizedList(new ArrayList<>());
    final List<String> others = Collections.synchronizedList(new ArrayList<>());
    private final TestCluster cluster;
    private final List<String> queries;

    Callers(TestCluster cluster, List<String> queries) {
      this.cluster = cluster;
      this.queries = queries;
    }

    /** Each asks again when its turn comes, or once it is answered if that is later. */
    void call(int callers, int seconds, double requestsASecond) throws Exception {
      long start = System.nanoTime();
      long gap = (long) (callers / requestsASecond * 1e9);
      try (ExecutorService pool = Executors.newFixedThreadPool(callers)) {
        List<Future<?>> running = new ArrayList<>();
        for (int caller = 0; caller < callers; caller++) {
          int number = caller;
          long first = start + gap * number / callers;
          running.add(
              pool.submit(() -> call(number, first, start + seconds * 1_000_000_000L, gap)));
        }
        for (Future<?> caller : running) {
          caller.get();
        }
      }
    }

    private Void call(int number, long first, long end, long gap) throws Exception {
      long turn = first;
      for (int i = number; turn < end; i += 64) {
        TimeUnit.NANOSECONDS.sleep(turn - System.nanoTime());
        call(queries.get(i % queries.size()), number % 3);
        turn = Math.max(turn + gap, System.nanoTime());
      }
      return null;
    }

    private void call(String text, int node) throws Exception {
      Map<String, ?> rescorer = Map.of("field", "body", "text", text);
      String body =
          JSON.writeValueAsString(
              Map.of(
                  "query", Map.of("match", Map.of("body", text)),
                  "rescore", Map.of("window_size", 5, "cross_encoder", rescorer)));
      long start = System.nanoTime();
      Response response = cluster.request(node, "POST", "/plain/_search", body);
      double time = (System.nanoTime() - start) / 1e6;
      if (response.status() == 429) {
        refused.add(time);
      } else if (response.status() == 200 && response.body().at("/_shards/failed").asInt() == 0) {
        whole.add(time);
      } else {
        others.add(response.toString());
      }
    }
  }

  private static double quantile(List<Double> times, double share) {
    List<Double> sorted = times.stream().sorted().toList();
    return sorted.isEmpty() ? Double.NaN : sorted.get((int) (share * (sorted.size() - 1)));
  }

  /**
   * Memory after many requests of all kinds. All pages of the heap have to be there from the
   * beginning, for native memory is what is left: {@code -Dtest.jvm.args="--add-modules
   * jdk.incubator.vector --enable-native-access=ALL-UNNAMED -Xms3g -Xmx3g -XX:+AlwaysPreTouch"}.
   */
  @Test
  @EnabledOnOs(OS.LINUX)
  void memoryLevelsOff() throws Exception {
    Assumptions.assumeTrue(
        ManagementFactory.getRuntimeMXBean().getInputArguments().contains("-XX:+AlwaysPreTouch"),
        "the heap is not there from the beginning");
    List<String> passages = texts("corpus.jsonl");
    List<String> queries = texts("queries.jsonl");
    try (TestCluster cluster = cluster(folder, 3)) {
      ingest(cluster, "/plain/_bulk", passages);
      ingest(cluster, "/soft/_bulk?pipeline=soft", passages.subList(0, 200));
      ok(cluster.post("/_refresh", ""));
      for (int tenth = 1; tenth <= 10; tenth++) {
        try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
          List<Future<Response>> running = new ArrayList<>();
          for (int i = 0; i < 2000; i++) {
            int number = i;
            running.add(pool.submit(() -> mixed(cluster, queries, number)));
          }
          for (Future<Response> response : running) {
            assertTrue(response.get().status() < 500);
          }
        }
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        System.out.printf(
            "after %d requests: heap in use %d MB, native %d MB, mapped files %d MB%n",
            tenth * 2000,
            (runtime.totalMemory() - runtime.freeMemory()) >> 20,
            (resident("RssAnon") - runtime.totalMemory()) >> 20,
            resident("RssFile") >> 20);
      }
    }
  }

  /** Bytes of this process that are in memory, of a kind that Linux counts. */
  private static long resident(String kind) throws Exception {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith(kind + ":"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
        .findFirst()
        .orElseThrow();
  }

  private static Response mixed(TestCluster cluster, List<String> queries, int i) throws Exception {
    String text = queries.get(i % queries.size());
    return switch (i % 20) {
      case 0 ->
          cluster.post(
              "/plain/_search",
              JSON.writeValueAsString(
                  Map.of(
                      "query", Map.of("match", Map.of("body", text)),
                      "rescore",
                          Map.of(
                              "window_size",
                              1,
                              "cross_encoder",
                              Map.of("field", "body", "text", text)))));
      case 1 ->
          cluster.post("/soft/_doc?pipeline=soft", JSON.writeValueAsString(Map.of("body", text)));
      case 2, 3, 4, 5, 6 -> cluster.post("/plain/_search", query("match", text, Map.of()));
      case 7, 8, 9, 10 -> cluster.post("/soft/_search", query("contextual_match", text, Map.of()));
      default -> cluster.post("/plain/_search", query("semantic_match", text, Map.of()));
    };
  }
}
