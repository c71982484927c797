package org.semanticbm25.opensearch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.semanticbm25.opensearch.TestCluster.ok;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opensearch.common.settings.Settings;
import org.semanticbm25.opensearch.TestCluster.Response;

/** A node that goes down in the middle of work costs neither right answers nor documents. */
class FaultsTest {
  private static final int DOCUMENTS = 300;
  private static final int SEARCHES = 200;
  private static final String[] WORDS = {
    "laptop",
    "notebook",
    "price",
    "cheap",
    "bread",
    "flour",
    "doctor",
    "pressure",
    "car",
    "tire",
    "garden",
    "rose",
    "memory",
    "program",
    "winter",
    "school"
  };

  @TempDir Path folder;
  private TestCluster cluster;

  @BeforeEach
  void start() throws Exception {
    cluster =
        new TestCluster(
            folder,
            3,
            Settings.builder()
                // so that a node that is gone is noticed within the test
                .put("cluster.fault_detection.follower_check.interval", "200ms")
                .put("cluster.fault_detection.follower_check.timeout", "1s")
                .build());
    ok(
        cluster.put(
            "/_ingest/pipeline/soft",
            """
            {"processors": [{"soft_terms": {"field": "body", "analyzer": "english", "mean_length": 8}}]}
            """));
    ok(
        cluster.put(
            "/docs",
            """
            {"settings": {"number_of_shards": 6, "number_of_replicas": 1,
                "index.unassigned.node_left.delayed_timeout": "0"},
             "mappings": {"properties": {
                "body": {"type": "text", "analyzer": "english"}, "body_soft": {"type": "rank_features"}}}}
            """));
    green();
    Random random = new Random(42);
    StringBuilder bulk = new StringBuilder();
    for (int i = 0; i < DOCUMENTS; i++) {
      bulk.append(document(i, random));
    }
    Response response = ok(cluster.post("/docs/_bulk?refresh=true&pipeline=soft", bulk.toString()));
    assertFalse(response.body().get("errors").asBoolean(), response.body()::toString);
  }

  @AfterEach
  void close() throws Exception {
    cluster.close();
  }

  private static String document(int id, Random random) throws Exception {
    StringBuilder text = new StringBuilder();
    for (int i = 3 + random.nextInt(10); i > 0; i--) {
      text.append(WORDS[random.nextInt(WORDS.length)]).append(' ');
    }
    return "{\"index\": {\"_id\": \"%d\"}}\n%s\n"
        .formatted(id, new ObjectMapper().writeValueAsString(Map.of("body", text.toString())));
  }

  private void green() throws Exception {
    Response health = cluster.get("/_cluster/health?wait_for_status=green&timeout=60s");
    assertEquals("green", health.body().get("status").asText(), health.body()::toString);
  }

  private Response search(int number) throws Exception {
    String text = WORDS[number % WORDS.length] + " " + WORDS[(number / 7) % WORDS.length];
    String name = number % 2 == 0 ? "semantic_match" : "contextual_match";
    return cluster.post(
        "/docs/_search?search_type=dfs_query_then_fetch",
        "{\"size\": 20, \"query\": {\"%s\": {\"body\": \"%s\"}}}".formatted(name, text));
  }

  @Test
  void answersAreRightOrSayWhatIsMissing() throws Exception {
    List<Response> expected = new ArrayList<>();
    for (int i = 0; i < SEARCHES; i++) {
      expected.add(ok(search(i)));
    }
    int whole = 0;
    Future<Void> stopping = null;
    try (ExecutorService callers = Executors.newFixedThreadPool(16)) {
      List<Future<Response>> running = new ArrayList<>();
      for (int i = 0; i < SEARCHES; i++) {
        int number = i;
        running.add(callers.submit(() -> search(number)));
        if (i == SEARCHES / 4) {
          stopping =
              callers.submit(
                  () -> {
                    cluster.stop(2);
                    return null;
                  });
        }
      }
      for (int i = 0; i < SEARCHES; i++) {
        whole += isRight(expected.get(i), running.get(i).get()) ? 1 : 0;
      }
    }
    stopping.get();
    assertTrue(whole > SEARCHES / 2, "only " + whole + " searches were answered by all shards");
    cluster.start(2);
    green();
    for (int i = 0; i < SEARCHES; i++) {
      assertTrue(isRight(expected.get(i), search(i)));
    }
  }

  /** Whether a response is that of all shards. If not, it has to say so. */
  private static boolean isRight(Response expected, Response response) {
    boolean whole =
        response.status() == 200
            && response.body().at("/_shards/failed").asInt() == 0
            && response.body().at("/_shards/successful").asInt() == 6;
    if (whole) {
      assertEquals(expected.scores(), response.scores());
      assertEquals(new HashSet<>(expected.ids()), new HashSet<>(response.ids()));
    } else {
      assertTrue(
          response.status() >= 500 || response.body().at("/_shards/failed").asInt() > 0,
          response.body()::toString);
    }
    return whole;
  }

  @Test
  void beyondCapacityRerankingIsWholeOrRefused() throws Exception {
    ok(
        cluster.put(
            "/_search/pipeline/rerank",
            """
            {"request_processors": [{"semantic_rerank": {"field": "body", "window_size": 10, "timeout": "60s"}}]}
            """));
    int whole = 0;
    try (ExecutorService callers = Executors.newFixedThreadPool(60)) {
      List<Future<Response>> running = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        int number = i;
        running.add(callers.submit(() -> rerank(number)));
      }
      for (Future<Response> response : running) {
        whole += isWholeOrRefused(response.get()) ? 1 : 0;
      }
    }
    assertTrue(whole > 0 && whole < 60, whole + " of 60 were let in");
    for (int i = 0; i < 12; i++) {
      assertTrue(isWholeOrRefused(rerank(i)), "a place was not given back");
    }
  }

  /** A search that reranks, by a rescorer of its own or by the pipeline's, on one of the nodes. */
  private Response rerank(int number) throws Exception {
    String match = "\"query\": {\"match\": {\"body\": \"cheap laptop\"}}";
    String rescore =
        """
        , "rescore": {"window_size": 10, "cross_encoder": {"field": "body", "text": "cheap laptop", "timeout": "60s"}}
        """;
    boolean own = number % 2 == 0;
    return cluster.request(
        number % 3,
        "POST",
        "/docs/_search?"
            + (number % 3 == 0 ? "search_type=dfs_query_then_fetch&" : "")
            + (own ? "" : "search_pipeline=rerank"),
        "{" + match + (own ? rescore : "") + "}");
  }

  private static boolean isWholeOrRefused(Response response) {
    if (response.status() != 429) {
      assertEquals(200, response.status(), response.body()::toString);
      assertEquals(0, response.body().at("/_shards/failed").asInt(), response.body()::toString);
      assertEquals(List.of(), response.warnings());
    }
    return response.status() == 200;
  }

  @Test
  void noAcknowledgedDocumentIsLost() throws Exception {
    Set<Integer> acknowledged = ConcurrentHashMap.newKeySet();
    AtomicBoolean stopped = new AtomicBoolean();
    try (ExecutorService callers = Executors.newFixedThreadPool(5)) {
      List<Future<?>> writers = new ArrayList<>();
      for (int writer = 0; writer < 4; writer++) {
        int first = 10_000 * (writer + 1);
        writers.add(callers.submit(() -> write(first, acknowledged, stopped)));
      }
      Thread.sleep(1000);
      cluster.stop(1);
      Thread.sleep(4000);
      cluster.start(1);
      Thread.sleep(1000);
      stopped.set(true);
      for (Future<?> writer : writers) {
        writer.get();
      }
    }
    assertTrue(acknowledged.size() > 100, "only " + acknowledged.size() + " documents");
    green();
    ok(cluster.post("/docs/_refresh", ""));
    for (int id : acknowledged) {
      Response found = ok(cluster.get("/docs/_doc/" + id));
      assertFalse(found.body().at("/_source/body_soft").isMissingNode(), found.body()::toString);
    }
    Response count = ok(cluster.get("/docs/_count"));
    assertTrue(count.body().get("count").asInt() >= DOCUMENTS + acknowledged.size());
  }

  private Void write(int first, Set<Integer> acknowledged, AtomicBoolean stopped) throws Exception {
    Random random = new Random(first);
    for (int start = first; !stopped.get(); start += 10) {
      StringBuilder bulk = new StringBuilder();
      for (int id = start; id < start + 10; id++) {
        bulk.append(document(id, random));
      }
      Response response = cluster.post("/docs/_bulk?pipeline=soft", bulk.toString());
      response
          .body()
          .at("/items")
          .forEach(
              item -> {
                if (item.at("/index/status").asInt() < 300) {
                  acknowledged.add(item.at("/index/_id").asInt());
                }
              });
    }
    return null;
  }
}
