package org.semanticbm25.opensearch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.semanticbm25.opensearch.TestCluster.ok;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StringField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opensearch.common.settings.Settings;
import org.semanticbm25.english.EnglishModel;
import org.semanticbm25.lucene.CrossEncoderRescorer;
import org.semanticbm25.onnx.context.SoftTermEncoder;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.opensearch.TestCluster.Response;
import org.semanticbm25.similarity.field.ContextualField;
import org.semanticbm25.similarity.field.SemanticField;
import org.semanticbm25.similarity.field.SoftTermFields;
import org.semanticbm25.similarity.model.SoftFrequencies;

/** A cluster of three nodes answers as one Lucene index does. */
class SemanticBM25PluginTest {
  private static final float MEAN_LENGTH = 7f;
  private static final String[] PASSAGES = {
    "A cheap notebook computer for students",
    "Inexpensive laptops with long battery life",
    "The price of laptops fell last year",
    "Notebook paper and pencils for school",
    "Bread is baked from flour, water and yeast",
    "A bakery sells loaves and rolls every morning",
    "Doctors treat high blood pressure with diuretics",
    "Hypertension raises the risk of stroke",
    "The car needs new tires before winter",
    "Automobile insurance covers damage from hail",
    "Version 3.5 of the program fixes a memory leak",
    "The garden has roses, tulips and an old oak",
  };
  private static final List<String> QUERIES =
      List.of("cheap laptops", "high blood pressure", "buy a car", "baking bread", "program 3.5");

  @TempDir static Path folder;
  private static TestCluster cluster;

  @BeforeAll
  static void index() throws Exception {
    cluster = new TestCluster(folder, 3, Settings.EMPTY);
    ok(
        cluster.put(
            "/_ingest/pipeline/soft",
            """
            {"processors": [{"soft_terms": {"field": "body", "analyzer": "english", "mean_length": 7}}]}
            """));
    ok(
        cluster.put(
            "/docs",
            """
            {"settings": {"number_of_shards": 6, "number_of_replicas": 1,
                "similarity": {"semantic": {"type": "semantic_bm25", "k1": 0.9, "b": 0.3, "analyzer": "english"}}},
             "mappings": {"_source": {"excludes": ["body_soft"]}, "properties": {
                "body": {"type": "text", "analyzer": "english"},
                "title": {"type": "text", "analyzer": "english", "similarity": "semantic"},
                "body_soft": {"type": "rank_features"},
                "kind": {"type": "keyword"}, "pages": {"type": "integer"}}}}
            """));
    ok(cluster.get("/_cluster/health?wait_for_status=green&timeout=60s"));
    StringBuilder bulk = new StringBuilder();
    ObjectMapper json = new ObjectMapper();
    for (int i = 0; i < PASSAGES.length; i++) {
      bulk.append("{\"index\": {\"_id\": \"%d\"}}\n".formatted(i));
      bulk.append(
              json.writeValueAsString(
                  Map.of(
                      "body", PASSAGES[i], "title", PASSAGES[i], "kind", "k" + i % 2, "pages", i)))
          .append('\n');
    }
    Response response = ok(cluster.post("/docs/_bulk?refresh=true&pipeline=soft", bulk.toString()));
    assertFalse(response.body().get("errors").asBoolean(), response.body()::toString);
  }

  @AfterAll
  static void close() throws Exception {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static Response search(String body) throws Exception {
    return ok(cluster.post("/docs/_search?search_type=dfs_query_then_fetch", body));
  }

  /** Hits of one Lucene index with the same documents: ids and scores. */
  private record Hits(List<String> ids, List<Double> scores) {}

  private static Hits inLucene(Query query, SoftTermFields soft) throws Exception {
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(directory, new IndexWriterConfig(new EnglishAnalyzer()))) {
        List<SoftFrequencies> found = soft == null ? null : encoded();
        for (int i = 0; i < PASSAGES.length; i++) {
          Document document = new Document();
          document.add(new StringField("id", Integer.toString(i), Field.Store.YES));
          document.add(new TextField("body", PASSAGES[i], Field.Store.NO));
          document.add(new TextField("title", PASSAGES[i], Field.Store.NO));
          if (soft != null) {
            soft.of(PASSAGES[i], found.get(i)).forEach(document::add);
          }
          writer.addDocument(document);
        }
      }
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        List<String> ids = new ArrayList<>();
        List<Double> scores = new ArrayList<>();
        for (ScoreDoc hit : new IndexSearcher(reader).search(query, 100).scoreDocs) {
          ids.add(reader.storedFields().document(hit.doc).get("id"));
          scores.add((double) hit.score);
        }
        return new Hits(ids, scores);
      }
    }
  }

  private static List<SoftFrequencies> encoded() throws Exception {
    try (SoftTermEncoder encoder =
        SoftTermEncoder.open(
            NeuralModel.bundledContextual(folder.resolve("models")),
            EnglishModel.loadContextual(),
            1)) {
      return encoder.encode(List.of(PASSAGES));
    }
  }

  private static void assertSame(Hits expected, Response response) {
    assertEquals(expected.scores().size(), response.scores().size());
    for (int i = 0; i < expected.scores().size(); i++) {
      assertEquals(expected.scores().get(i), response.scores().get(i), 1e-5);
    }
    assertEquals(expected.ids(), response.ids());
  }

  @Test
  void semanticMatchFindsWhatOneIndexFinds() throws Exception {
    SemanticField body =
        SemanticField.of(EnglishModel.load(), "body", new EnglishAnalyzer()).scoringItself();
    for (String query : QUERIES) {
      assertSame(
          inLucene(body.query(query), null),
          search(
              """
              {"size": 100, "query": {"semantic_match": {"body": "%s"}}}
              """
                  .formatted(query)));
    }
  }

  @Test
  void semanticMatchTakesTheNumbersOfTheFieldsSimilarity() throws Exception {
    SemanticField title = SemanticField.of(EnglishModel.load(), "title", new EnglishAnalyzer());
    var p = title.parameters();
    title =
        title
            .withParameters(
                new org.semanticbm25.similarity.model.ScoringParameters(
                    0.9f,
                    0.3f,
                    p.threshold(),
                    p.exponent(),
                    p.scale(),
                    2,
                    p.idfBlend(),
                    p.weightExponent()))
            .scoringItself();
    for (String query : QUERIES) {
      assertSame(
          inLucene(title.query(query), null),
          search(
              """
              {"size": 100, "query": {"semantic_match": {"title": {"query": "%s", "soft_terms": 2}}}}
              """
                  .formatted(query)));
    }
  }

  @Test
  void contextualMatchFindsWhatOneIndexFinds() throws Exception {
    ContextualField body =
        ContextualField.of(EnglishModel.loadContextual(), "body", new EnglishAnalyzer());
    SoftTermFields soft = new SoftTermFields(body, MEAN_LENGTH, SoftTermFields.DEFAULT_SOFT_TERMS);
    for (String query : QUERIES) {
      assertSame(
          inLucene(body.query(query), soft),
          search(
              """
              {"size": 100, "query": {"contextual_match": {"body": "%s"}}}
              """
                  .formatted(query)));
    }
  }

  @Test
  void crossEncoderRescoresAsTheLibrary() throws Exception {
    try (CrossEncoder encoder =
        CrossEncoder.builder(NeuralModel.bundled(folder.resolve("models"))).threads(1).open()) {
      float[] logits = encoder.score("cheap laptops", List.of(PASSAGES));
      Response response =
          search(
              """
              {"size": 100, "query": {"match_all": {}},
               "rescore": {"window_size": 100, "cross_encoder": {"field": "body", "text": "cheap laptops"}}}
              """);
      assertEquals(PASSAGES.length, response.ids().size());
      for (int i = 0; i < PASSAGES.length; i++) {
        int id = Integer.parseInt(response.ids().get(i));
        // all hits have the score 1
        assertEquals(
            logits[id] + CrossEncoderRescorer.FIRST_PASS_WEIGHT, response.scores().get(i), 1e-4);
      }
      assertEquals(List.of(), response.warnings());
    }
  }

  @Test
  void queriesGoTogetherWithWhatMatchGoesWith() throws Exception {
    for (String name : List.of("semantic_match", "contextual_match")) {
      Response response =
          search(
              """
              {"size": 3, "profile": true, "explain": true,
               "query": {"bool": {
                 "must": [{"%s": {"body": {"query": "cheap laptops price", "boost": 2, "_name": "q"}}}],
                 "filter": [{"term": {"kind": "k1"}}, {"range": {"pages": {"lt": 10}}}]}},
               "aggs": {"kinds": {"terms": {"field": "kind"}}},
               "highlight": {"fields": {"body": {}}},
               "collapse": {"field": "pages"}}
              """
                  .formatted(name));
      assertTrue(response.ids().contains("1"), response.body()::toString);
      for (var hit : response.body().at("/hits/hits")) {
        assertEquals(
            hit.get("_score").asDouble(),
            hit.at("/_explanation/value").asDouble(),
            1e-5,
            hit::toString);
        assertEquals("q", hit.at("/matched_queries/0").asText());
        assertEquals(1, Integer.parseInt(hit.get("_id").asText()) % 2);
      }
      Response sorted =
          search(
              """
              {"query": {"%s": {"body": "laptops car"}}, "sort": [{"pages": "desc"}], "track_scores": true}
              """
                  .formatted(name));
      assertFalse(sorted.ids().isEmpty());
      List<String> byPages = new ArrayList<>(sorted.ids());
      byPages.sort((a, b) -> Integer.parseInt(b) - Integer.parseInt(a));
      assertEquals(byPages, sorted.ids());
    }
  }

  @Test
  void minimumShouldMatchCountsQueryTerms() throws Exception {
    Response both =
        search(
            """
            {"query": {"semantic_match": {"body": {"query": "laptops price", "soft_terms": 0, "minimum_should_match": 2}}}}
            """);
    assertEquals(List.of("2"), both.ids());
  }

  @Test
  void contextualFieldIsSearchedWithoutThePlugin() throws Exception {
    ContextualField body =
        ContextualField.of(EnglishModel.loadContextual(), "body", new EnglishAnalyzer());
    float pivot = body.model().parameters().k1();
    Response own = search("{\"query\": {\"contextual_match\": {\"body\": \"laptops\"}}}");
    Response plain =
        search(
            """
            {"query": {"rank_feature": {"field": "body_soft.laptop", "saturation": {"pivot": %s}}}}
            """
                .formatted(pivot));
    assertEquals(own.ids(), plain.ids());
    double factor = own.scores().getFirst() / plain.scores().getFirst();
    for (int i = 0; i < own.scores().size(); i++) {
      assertEquals(own.scores().get(i), factor * plain.scores().get(i), 1e-4);
    }
  }

  @Test
  void rescorersKeepBothScoresInExplanations() throws Exception {
    for (String name : List.of("cross_encoder", "semantic_bm25_attention")) {
      Response response =
          search(
              """
              {"size": 5, "explain": true, "query": {"match": {"body": "laptops notebook bread"}},
               "rescore": {"window_size": 10, "%s": {"field": "body", "text": "cheap laptops",
                 "query_weight": 0.5, "rescore_query_weight": 2}}}
              """
                  .formatted(name));
      assertTrue(response.ids().size() >= 4, response.body()::toString);
      for (var hit : response.body().at("/hits/hits")) {
        var explanation = hit.get("_explanation");
        assertEquals(
            hit.get("_score").asDouble(), explanation.get("value").asDouble(), 1e-3, hit::toString);
        double first = explanation.at("/details/1/value").asDouble();
        double second = explanation.at("/details/3/value").asDouble();
        assertEquals(hit.get("_score").asDouble(), 0.5 * first + 2 * second, 1e-3);
      }
    }
  }

  @Test
  void timeOutKeepsTheOrderAndSaysSo() throws Exception {
    Response plain = search("{\"query\": {\"match\": {\"body\": \"laptops notebook\"}}}");
    Response late =
        search(
            """
            {"query": {"match": {"body": "laptops notebook"}},
             "rescore": {"cross_encoder": {"field": "body", "text": "laptops", "timeout": "1nanos"}}}
            """);
    assertEquals(plain.ids(), late.ids());
    // the warning of a shard gets through if its response is the last
    assertTrue(late.scores().stream().allMatch(score -> score < -100_000), late.body()::toString);
  }

  @Test
  void searchPipelineReranksByDefault() throws Exception {
    ok(
        cluster.put(
            "/_search/pipeline/rerank",
            """
            {"request_processors": [{"semantic_rerank": {"field": "body", "window_size": 20}}]}
            """));
    String query =
        "{\"query\": {\"bool\": {\"must\": [{\"match\": {\"body\": \"laptops notebook\"}}]}}%s}";
    Response byPipeline =
        ok(
            cluster.post(
                "/docs/_search?search_pipeline=rerank&search_type=dfs_query_then_fetch",
                query.formatted("")));
    Response asked =
        search(
            query.formatted(
                ", \"rescore\": {\"window_size\": 20, \"cross_encoder\": {\"field\": \"body\", \"text\": \"laptops notebook\"}}"));
    assertEquals(asked.ids(), byPipeline.ids());
    assertEquals(asked.scores(), byPipeline.scores());
    String sorted = ", \"sort\": [\"pages\"]";
    ok(cluster.post("/docs/_search?search_pipeline=rerank", query.formatted(sorted)));
  }

  @Test
  void reindexEnrichesAnIndex() throws Exception {
    ok(
        cluster.put(
            "/copy",
            """
            {"settings": {"number_of_replicas": 0}, "mappings": {"properties": {
               "body": {"type": "text", "analyzer": "english"}, "body_soft": {"type": "rank_features"}}}}
            """));
    ok(
        cluster.post(
            "/_reindex?refresh=true",
            """
            {"source": {"index": "docs", "_source": ["body"]}, "dest": {"index": "copy", "pipeline": "soft"}}
            """));
    String query =
        "{\"size\": 100, \"query\": {\"contextual_match\": {\"body\": \"high blood pressure\"}}}";
    Response copy = ok(cluster.post("/copy/_search", query));
    Response original = search(query);
    assertEquals(original.ids(), copy.ids());
    for (int i = 0; i < original.scores().size(); i++) {
      assertEquals(original.scores().get(i), copy.scores().get(i), 1e-5);
    }
  }

  /** An index of some passages on one shard. */
  private static void indexSome(TestCluster cluster, String index) throws Exception {
    ok(
        cluster.put(
            "/" + index,
            """
            {"settings": {"number_of_shards": 1, "number_of_replicas": 0}, "mappings": {"properties": {
              "body": {"type": "text", "analyzer": "english"}}}}
            """));
    for (int i = 0; i < 4; i++) {
      String body = new ObjectMapper().writeValueAsString(Map.of("body", PASSAGES[i]));
      ok(cluster.put("/" + index + "/_doc/" + i + "?refresh=true", body));
    }
  }

  private static final String CHEAP_LAPTOPS =
      "\"query\": {\"semantic_match\": {\"body\": {\"query\": \"cheap laptops\"}}}";

  @Test
  void searchesAPointInTime() throws Exception {
    indexSome(cluster, "moment");
    Response before = ok(cluster.post("/moment/_search", "{" + CHEAP_LAPTOPS + "}"));
    assertEquals(4, before.ids().size(), before.body()::toString);
    String id =
        ok(cluster.post("/moment/_search/point_in_time?keep_alive=1m", ""))
            .body()
            .get("pit_id")
            .asText();
    ok(cluster.put("/moment/_doc/late?refresh=true", "{\"body\": \"cheap laptops\"}"));
    Response then =
        ok(cluster.post("/_search", "{\"pit\": {\"id\": \"" + id + "\"}, " + CHEAP_LAPTOPS + "}"));
    assertEquals(before.ids(), then.ids());
    assertEquals(before.scores(), then.scores());
    Response now = ok(cluster.post("/moment/_search", "{" + CHEAP_LAPTOPS + "}"));
    assertEquals("late", now.ids().getFirst());
    ok(cluster.request(0, "DELETE", "/_search/point_in_time/_all", null));
  }

  @Test
  void searchesAnotherCluster() throws Exception {
    Settings name = Settings.builder().put("cluster.name", "far").build();
    String settings = "{\"persistent\": {\"cluster.remote.far.seeds\": %s}}";
    try (TestCluster far = new TestCluster(folder.resolve("far"), 1, name)) {
      indexSome(far, "there");
      Response direct = ok(far.post("/there/_search", "{" + CHEAP_LAPTOPS + "}"));
      ok(
          cluster.put(
              "/_cluster/settings", settings.formatted("[\"" + far.transportAddress(0) + "\"]")));
      Response across = ok(cluster.post("/far:there/_search", "{" + CHEAP_LAPTOPS + "}"));
      assertEquals(4, direct.ids().size(), direct.body()::toString);
      assertEquals(direct.ids(), across.ids());
      assertEquals(direct.scores(), across.scores());
    } finally {
      ok(cluster.put("/_cluster/settings", settings.formatted("null")));
    }
  }

  @Test
  void statisticsAndModelsAreShownByNode() throws Exception {
    search(
        """
        {"query": {"match_all": {}}, "rescore": {"cross_encoder": {"field": "body", "text": "a"}}}
        """);
    for (int i = 0; i < 2; i++) {
      search("{\"query\": {\"semantic_match\": {\"body\": {\"query\": \"cheap\"}}}}");
    }
    Response stats = ok(cluster.get("/_plugins/_semantic_bm25/stats"));
    long passages = 0;
    long encoded = 0;
    long hits = 0;
    long misses = 0;
    for (var node : stats.body().get("nodes")) {
      passages += node.at("/rerank/passages").asLong();
      encoded += node.at("/soft_terms/passages").asLong();
      hits += node.at("/field_cache/hits").asLong();
      misses += node.at("/field_cache/misses").asLong();
    }
    assertTrue(hits > 0 && misses > 0, stats.body()::toString);
    assertTrue(passages >= PASSAGES.length, stats.body()::toString);
    assertTrue(encoded >= PASSAGES.length, stats.body()::toString);
    Response models = ok(cluster.get("/_plugins/_semantic_bm25/models"));
    assertEquals(3, models.body().get("nodes").size());
    Map<String, Long> memory = new HashMap<>();
    for (var node : models.body().get("nodes")) {
      node.get("open")
          .forEach(m -> memory.put(m.get("kind").asText(), m.get("memory_in_bytes").asLong()));
    }
    assertTrue(memory.get("cross_encoder") > 10_000_000, memory::toString);
    assertTrue(memory.get("static") > 1_000_000, memory::toString);
  }

  @Test
  void analyzersOfTheSameNameAreNotMixedUp() throws Exception {
    for (String index : List.of("stops", "keeps", "stops")) {
      // the second time it is made anew, and its first analyzers are closed
      cluster.request(0, "DELETE", "/" + index, null);
      String stopwords = index.equals("stops") ? "[\"cheap\"]" : "[]";
      ok(
          cluster.put(
              "/" + index,
              """
              {"settings": {"analysis": {"analyzer": {"mine": {"type": "standard", "stopwords": %s}}}},
               "mappings": {"properties": {"body": {"type": "text", "analyzer": "mine"}}}}
              """
                  .formatted(stopwords)));
      ok(cluster.put("/" + index + "/_doc/1?refresh=true", "{\"body\": \"cheap\"}"));
      String query = "{\"query\": {\"semantic_match\": {\"body\": \"cheap\"}}}";
      Response response = ok(cluster.post("/" + index + "/_search", query));
      assertEquals(
          index.equals("stops") ? List.of() : List.of("1"),
          response.ids(),
          response.body()::toString);
    }
  }

  @Test
  void hitsWithoutTextComeLastOnAllShards() throws Exception {
    ok(cluster.put("/docs/_doc/bare?refresh=true", "{\"title\": \"laptops laptops\"}"));
    try {
      Response response =
          search(
              """
              {"size": 100, "query": {"match": {"title": "laptops"}},
               "rescore": {"window_size": 100, "cross_encoder": {"field": "body", "text": "bread"}}}
              """);
      assertEquals("bare", response.ids().getLast(), response.body()::toString);
      assertTrue(response.ids().size() > 2);
    } finally {
      ok(cluster.request(0, "DELETE", "/docs/_doc/bare?refresh=true", null));
    }
  }
}
