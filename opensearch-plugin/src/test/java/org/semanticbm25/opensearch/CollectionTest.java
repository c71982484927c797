package org.semanticbm25.opensearch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StringField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opensearch.common.settings.Settings;
import org.semanticbm25.english.EnglishModel;
import org.semanticbm25.opensearch.TestCluster.Response;
import org.semanticbm25.similarity.field.SemanticField;

/** On a real collection, three nodes with twelve shards rank as one index does. */
class CollectionTest {
  private static final Path COLLECTION = Path.of("../../shared/datasets/nfcorpus");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  @Test
  void clusterRanksAsOneIndex() throws Exception {
    Assumptions.assumeTrue(Files.exists(COLLECTION), "no " + COLLECTION);
    List<JsonNode> passages = read("corpus.jsonl");
    try (TestCluster cluster = new TestCluster(folder, 3, Settings.EMPTY);
        Directory directory = new ByteBuffersDirectory()) {
      index(cluster, passages);
      index(directory, passages);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        SemanticField body =
            SemanticField.of(EnglishModel.load(), "body", new EnglishAnalyzer()).scoringItself();
        IndexSearcher searcher = new IndexSearcher(reader);
        for (JsonNode query : read("queries.jsonl").subList(0, 100)) {
          String text = query.get("text").asText();
          Map<String, Float> expected = new TreeMap<>();
          for (ScoreDoc hit : searcher.search(body.query(text), 200).scoreDocs) {
            expected.put(reader.storedFields().document(hit.doc).get("id"), hit.score);
          }
          assertSame(expected, search(cluster, text));
        }
      }
    }
  }

  private static void assertSame(Map<String, Float> expected, Response response) {
    List<Double> scores = response.scores();
    assertEquals(Math.min(50, expected.size()), scores.size());
    for (int i = 0; i < scores.size(); i++) {
      Float score = expected.get(response.ids().get(i));
      assertEquals(score, scores.get(i), 1e-5 * score, response.ids().get(i));
    }
    List<Float> best = new ArrayList<>(expected.values());
    best.sort((a, b) -> Float.compare(b, a));
    for (int i = 0; i < scores.size(); i++) {
      assertEquals(best.get(i), scores.get(i), 1e-5 * best.get(i));
    }
  }

  private static Response search(TestCluster cluster, String text) throws Exception {
    String query =
        JSON.writeValueAsString(
            Map.of(
                "size",
                50,
                "_source",
                false,
                "query",
                Map.of("semantic_match", Map.of("body", text))));
    Response response = cluster.post("/docs/_search?search_type=dfs_query_then_fetch", query);
    assertEquals(200, response.status(), response.body()::toString);
    return response;
  }

  private static void index(TestCluster cluster, List<JsonNode> passages) throws Exception {
    Response created =
        cluster.put(
            "/docs",
            """
            {"settings": {"number_of_shards": 6, "number_of_replicas": 1},
             "mappings": {"properties": {"body": {"type": "text", "analyzer": "english"}}}}
            """);
    assertEquals(200, created.status(), created.body()::toString);
    StringBuilder bulk = new StringBuilder();
    for (JsonNode passage : passages) {
      bulk.append(JSON.writeValueAsString(Map.of("index", Map.of("_id", passage.get("_id")))));
      bulk.append('\n').append(JSON.writeValueAsString(Map.of("body", text(passage)))).append('\n');
    }
    Response response = cluster.post("/docs/_bulk?refresh=true", bulk.toString());
    assertFalse(response.body().get("errors").asBoolean());
    assertTrue(
        cluster
            .get("/_cluster/health?wait_for_status=green&timeout=60s")
            .body()
            .toString()
            .contains("green"));
  }

  private static void index(Directory directory, List<JsonNode> passages) throws Exception {
    try (IndexWriter writer =
        new IndexWriter(directory, new IndexWriterConfig(new EnglishAnalyzer()))) {
      for (JsonNode passage : passages) {
        Document document = new Document();
        document.add(new StringField("id", passage.get("_id").asText(), Field.Store.YES));
        document.add(new TextField("body", text(passage), Field.Store.NO));
        writer.addDocument(document);
      }
    }
  }

  private static String text(JsonNode passage) {
    return passage.get("title").asText() + " " + passage.get("text").asText();
  }

  private static List<JsonNode> read(String name) throws Exception {
    List<JsonNode> rows = new ArrayList<>();
    for (String line : Files.readAllLines(COLLECTION.resolve(name))) {
      rows.add(JSON.readTree(line));
    }
    return rows;
  }
}
