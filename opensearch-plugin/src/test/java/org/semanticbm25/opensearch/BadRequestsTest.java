package org.semanticbm25.opensearch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.semanticbm25.opensearch.TestCluster.ok;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.opensearch.common.settings.Settings;
import org.semanticbm25.opensearch.TestCluster.Response;

/** Malformed and hostile requests get a client's error with a reason, and change nothing. */
class BadRequestsTest {
  private static final String SEARCH = "/docs/_search";
  private static final String LONG = "word ".repeat(200_000);

  @TempDir static Path folder;
  private static TestCluster cluster;

  @BeforeAll
  static void index() throws Exception {
    cluster = new TestCluster(folder, 1, Settings.EMPTY);
    ok(cluster.put("/_ingest/pipeline/soft", pipeline("\"field\": \"body\", \"mean_length\": 10")));
    ok(
        cluster.put(
            "/docs",
            """
            {"settings": {"number_of_replicas": 0}, "mappings": {"properties": {
                "body": {"type": "text"}, "body_soft": {"type": "rank_features"},
                "bare": {"type": "text"}, "hidden": {"type": "text", "index": false},
                "kind": {"type": "keyword"}, "pages": {"type": "integer"}, "when": {"type": "date"},
                "place": {"type": "geo_point"}, "yes": {"type": "boolean"}}}}
            """));
    ok(cluster.put("/closed", "{\"settings\": {\"number_of_replicas\": 0}}"));
    ok(cluster.post("/closed/_close", ""));
    ok(
        cluster.put(
            "/docs/_doc/1?refresh=true&pipeline=soft",
            """
            {"body": "cheap laptops", "kind": "a", "pages": 1, "bare": "cheap laptops"}
            """));
  }

  @AfterAll
  static void close() throws Exception {
    if (cluster != null) {
      cluster.close();
    }
  }

  /** A request that has to be refused. */
  record Bad(String method, String path, String body) {
    @Override
    public String toString() {
      String shown = body == null ? "" : body.strip();
      return method + " " + path + " " + shown.substring(0, Math.min(100, shown.length()));
    }
  }

  private static String pipeline(String processor) {
    return "{\"processors\": [{\"soft_terms\": {" + processor + "}}]}";
  }

  private static Bad query(String name, String body) {
    return new Bad("POST", SEARCH, "{\"query\": {\"" + name + "\": " + body + "}}");
  }

  private static Bad rescore(String name, String body, String window) {
    return new Bad(
        "POST",
        SEARCH,
        """
        {"query": {"match_all": {}}, "rescore": {"window_size": %s, "%s": %s}}
        """
            .formatted(window, name, body));
  }

  static Stream<Bad> requests() {
    List<Bad> bad = new ArrayList<>();
    for (String name : List.of("semantic_match", "contextual_match")) {
      Stream.of(
              "{}",
              "[]",
              "\"text\"",
              "{\"body\": null}",
              "{\"body\": []}",
              "{\"body\": {}}",
              "{\"body\": {\"query\": null}}",
              "{\"body\": {\"query\": {\"a\": 1}}}",
              "{\"body\": {\"query\": \"a\", \"unknown\": 1}}",
              "{\"body\": {\"query\": \"a\", \"boost\": -1}}",
              "{\"body\": {\"query\": \"a\", \"boost\": \"NaN\"}}",
              "{\"body\": {\"query\": \"a\", \"model\": \"nobody\"}}",
              "{\"body\": {\"query\": \"a\", \"model\": \"../../etc/passwd\"}}",
              "{\"body\": {\"query\": \"a\", \"model\": \"/etc/passwd\"}}",
              "{\"body\": {\"query\": \"a\", \"model\": \"\"}}",
              "{\"body\": {\"query\": \"a\", \"model\": \"..\"}}",
              "{\"body\": {\"query\": \"a\", \"model\": \"a\\u0000b\"}}",
              "{\"body\": {\"query\": \"a b\", \"minimum_should_match\": \"many\"}}",
              "{\"body\": \"a\", \"kind\": \"b\"}",
              "{\"kind\": \"a\"}",
              "{\"pages\": \"1\"}",
              "{\"when\": \"2020-01-01\"}",
              "{\"place\": \"1,1\"}",
              "{\"yes\": \"true\"}",
              "{\"body_soft\": \"a\"}",
              "{\"hidden\": \"a\"}",
              "{\"body\": \"" + numbered(3000) + "\"}")
          .forEach(body -> bad.add(query(name, body)));
    }
    bad.add(query("semantic_match", "{\"body\": {\"query\": \"a\", \"soft_terms\": -1}}"));
    bad.add(query("semantic_match", "{\"body\": {\"query\": \"a\", \"soft_terms\": 1000000000}}"));
    bad.add(query("semantic_match", "{\"body\": {\"query\": \"a\", \"soft_terms\": \"some\"}}"));
    bad.add(query("contextual_match", "{\"bare\": \"a\"}"));
    bad.add(query("contextual_match", "{\"body\": {\"query\": \"a\", \"soft_field\": \"kind\"}}"));
    bad.add(query("contextual_match", "{\"body\": {\"query\": \"a\", \"soft_field\": \"none\"}}"));
    for (String name : List.of("cross_encoder", "semantic_bm25_attention")) {
      Stream.of(
              "{}",
              "[]",
              "{\"field\": \"body\"}",
              "{\"text\": \"a\"}",
              "{\"field\": \"body\", \"text\": null}",
              "{\"field\": \"body\", \"text\": \"a\", \"unknown\": 1}",
              "{\"field\": \"kind\", \"text\": \"a\"}",
              "{\"field\": \"pages\", \"text\": \"a\"}",
              "{\"field\": \"body\", \"text\": \"a\", \"model\": \"nobody\"}",
              "{\"field\": \"body\", \"text\": \"a\", \"model\": \"../x\"}",
              "{\"field\": \"body\", \"text\": \"a\", \"query_weight\": -1}",
              "{\"field\": \"body\", \"text\": \"a\", \"query_weight\": \"NaN\"}",
              "{\"field\": \"body\", \"text\": \"a\", \"rescore_query_weight\": -0.5}",
              "{\"field\": \"body\", \"text\": \"a\", \"rescore_query_weight\": 1e30}",
              "{\"field\": \"body\", \"text\": \"a\", \"timeout\": \"-1s\"}",
              "{\"field\": \"body\", \"text\": \"a\", \"timeout\": \"soon\"}")
          .forEach(body -> bad.add(rescore(name, body, "10")));
      String good = "{\"field\": \"body\", \"text\": \"a\"}";
      Stream.of("1000000000", "-1", "\"wide\"", "99999999999")
          .forEach(window -> bad.add(rescore(name, good, window)));
    }
    Stream.of(
            "",
            "\"field\": \"body\"",
            "\"mean_length\": 10",
            "\"field\": \"body\", \"mean_length\": 0",
            "\"field\": \"body\", \"mean_length\": -3",
            "\"field\": \"body\", \"mean_length\": \"NaN\"",
            "\"field\": \"body\", \"mean_length\": 10, \"max_terms\": -1",
            "\"field\": \"body\", \"mean_length\": 10, \"analyzer\": \"none\"",
            "\"field\": \"body\", \"mean_length\": 10, \"model\": \"nobody\"",
            "\"field\": \"body\", \"mean_length\": 10, \"model\": \"../x\"",
            "\"field\": \"body\", \"mean_length\": 10, \"target_field\": \"body\"",
            "\"field\": \"body\", \"mean_length\": 10, \"batch_size\": 0",
            "\"field\": \"body\", \"mean_length\": 10, \"unknown\": 1")
        .forEach(body -> bad.add(new Bad("PUT", "/_ingest/pipeline/bad", pipeline(body))));
    Stream.of(
            "{\"body\": 5}",
            "{\"body\": {\"a\": 1}}",
            "{\"body\": [1, 2]}",
            "{\"body\": [\"a\", null]}",
            "{\"body\": \"" + LONG + "\"}",
            "{\"body\": \"a",
            "[1]")
        .forEach(body -> bad.add(new Bad("PUT", "/docs/_doc/bad?pipeline=soft", body)));
    Stream.of(
            "\"k1\": -1",
            "\"b\": 2",
            "\"idf_blend\": 5",
            "\"model\": \"nobody\"",
            "\"analyzer\": \"none\"",
            "\"k1\": \"many\"",
            "\"unknown\": 1")
        .forEach(
            setting ->
                bad.add(
                    new Bad(
                        "PUT",
                        "/bad",
                        """
                        {"settings": {"similarity": {"s": {"type": "semantic_bm25", %s}}},
                         "mappings": {"properties": {"t": {"type": "text", "similarity": "s"}}}}
                        """
                            .formatted(setting))));
    Stream.of(
            "{\"field\": \"body\", \"window_size\": 0}",
            "{\"window_size\": 10}",
            "{\"field\": \"body\", \"rescorer\": \"nobody\"}",
            "{\"field\": \"body\", \"unknown\": 1}")
        .forEach(
            body ->
                bad.add(
                    new Bad(
                        "PUT",
                        "/_search/pipeline/bad",
                        "{\"request_processors\": [{\"semantic_rerank\": " + body + "}]}")));
    String good = "{\"query\": {\"semantic_match\": {\"body\": \"cheap\"}}}";
    bad.add(new Bad("POST", "/closed/_search", good));
    bad.add(new Bad("POST", "/missing/_search", good));
    bad.add(new Bad("GET", "/_plugins/_semantic_bm25/secrets", null));
    bad.add(new Bad("GET", "/_plugins/_semantic_bm25/stats?unknown=1", null));
    bad.add(query("bool", "{\"must\": ".repeat(2000) + "1" + "}".repeat(2000)));
    return bad.stream();
  }

  private static String numbered(int count) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      text.append("word").append(i).append(' ');
    }
    return text.toString();
  }

  @ParameterizedTest
  @MethodSource("requests")
  void isRefusedWithAReason(Bad bad) throws Exception {
    Response response = cluster.request(0, bad.method(), bad.path(), bad.body());
    assertTrue(
        response.status() >= 400 && response.status() < 500,
        () -> response.status() + " " + response.body());
    assertFalse(response.body().at("/error").isMissingNode(), response.body()::toString);
    assertFalse(response.reason().contains(folder.toString()), response::reason);
    assertFalse(response.reason().contains("null_pointer"), response::reason);
  }

  @AfterEach
  void nothingHasChanged() throws Exception {
    Response found =
        ok(
            cluster.post(
                "/docs/_search?pre_filter_shard_size=1",
                "{\"query\": {\"semantic_match\": {\"body\": \"cheap laptops\"}}}"));
    assertEquals(List.of("1"), found.ids());
  }

  @Test
  void whatIsEmptyFindsNothing() throws Exception {
    for (String name : List.of("semantic_match", "contextual_match")) {
      for (String text : List.of("", " ", "?!", "the")) {
        String field = "{\"body\": \"" + text + "\"}";
        Bad query = query(name, field);
        assertEquals(List.of(), ok(cluster.post(SEARCH, query.body())).ids(), query::toString);
      }
      assertEquals(
          List.of(), ok(cluster.post(SEARCH, query(name, "{\"unmapped\": \"a\"}").body())).ids());
    }
  }
}
