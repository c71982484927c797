package org.semanticbm25.similarity.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.FieldType;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexOptions;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.DisjunctionMaxQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Matches;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.ScoreMode;
import org.apache.lucene.search.TopScoreDocCollectorManager;
import org.apache.lucene.search.Weight;
import org.apache.lucene.store.Directory;
import org.apache.lucene.tests.analysis.MockAnalyzer;
import org.apache.lucene.tests.index.RandomIndexWriter;
import org.apache.lucene.tests.search.CheckHits;
import org.apache.lucene.tests.util.LuceneTestCase;
import org.apache.lucene.tests.util.TestUtil;
import org.apache.lucene.util.BytesRef;

/** Soft-term queries as clauses of Lucene's, and in fields that index less than they may. */
public class TestSoftTermQueryInOtherQueries extends LuceneTestCase {
  private static final int VOCABULARY = 30;
  private static final String TEXT = "text";
  private static final Map<String, FieldType> FIELDS =
      Map.of(
          TEXT,
          type(IndexOptions.DOCS_AND_FREQS_AND_POSITIONS, false),
          "frequencies",
          type(IndexOptions.DOCS_AND_FREQS, false),
          "documents",
          type(IndexOptions.DOCS, false),
          "normless",
          type(IndexOptions.DOCS_AND_FREQS, true),
          "bare",
          type(IndexOptions.DOCS, true));

  private Directory directory;
  private DirectoryReader reader;
  private IndexSearcher searcher;

  private static FieldType type(IndexOptions options, boolean omitNorms) {
    FieldType type = new FieldType(TextField.TYPE_STORED);
    type.setIndexOptions(options);
    type.setOmitNorms(omitNorms);
    type.freeze();
    return type;
  }

  @Override
  public void setUp() throws Exception {
    super.setUp();
    Random random = random();
    directory = newDirectory();
    SemanticBM25Similarity similarity =
        new SemanticBM25Similarity(1.2f, 0.7f, 0f, (term, passages) -> Float.NaN);
    IndexWriterConfig config = newIndexWriterConfig(new MockAnalyzer(random));
    config.setSimilarity(similarity);
    try (RandomIndexWriter writer = new RandomIndexWriter(random, directory, config)) {
      for (int i = atLeast(1000); i > 0; i--) {
        StringBuilder text = new StringBuilder();
        for (int length = TestUtil.nextInt(random, 1, 20); length > 0; length--) {
          double u = random.nextDouble();
          text.append(word((int) (u * u * VOCABULARY))).append(' ');
        }
        Document document = new Document();
        FIELDS.forEach(
            (name, type) -> document.add(new Field(name, text.toString().strip(), type)));
        writer.addDocument(document);
      }
      reader = writer.getReader();
    }
    searcher = newSearcher(reader);
    searcher.setSimilarity(similarity);
  }

  @Override
  public void tearDown() throws Exception {
    reader.close();
    directory.close();
    super.tearDown();
  }

  private static String word(int i) {
    return "w" + i;
  }

  private static SoftTermQuery soft(String field, int word) {
    return new SoftTermQuery.Builder(new Term(field, word(word)))
        .add(new BytesRef(word((word + 7) % VOCABULARY)), 0.6f)
        .add(new BytesRef(word((word + 13) % VOCABULARY)), 0.3f)
        .build();
  }

  private Map<Integer, Float> scores(Query query) throws IOException {
    Map<Integer, Float> scores = new HashMap<>();
    for (ScoreDoc hit : searcher.search(query, reader.maxDoc()).scoreDocs) {
      scores.put(hit.doc, hit.score);
    }
    return scores;
  }

  private static List<Float> of(int doc, List<Map<Integer, Float>> clauses) {
    List<Float> scores = new ArrayList<>();
    clauses.forEach(clause -> scores.add(clause.getOrDefault(doc, 0f)));
    return scores;
  }

  private List<Map<Integer, Float>> scores(List<? extends Query> clauses) throws IOException {
    List<Map<Integer, Float>> scores = new ArrayList<>();
    for (Query clause : clauses) {
      scores.add(scores(clause));
    }
    return scores;
  }

  private static List<SoftTermQuery> clauses() {
    int first = random().nextInt(VOCABULARY);
    return List.of(
        soft(TEXT, first),
        soft(TEXT, (first + 1) % VOCABULARY),
        soft(TEXT, (first + 2) % VOCABULARY));
  }

  private void checkTop(Query query) throws IOException {
    int n = TestUtil.nextInt(random(), 1, 20);
    ScoreDoc[] all =
        searcher.search(query, new TopScoreDocCollectorManager(n, Integer.MAX_VALUE)).scoreDocs;
    ScoreDoc[] top = searcher.search(query, new TopScoreDocCollectorManager(n, 1)).scoreDocs;
    CheckHits.checkEqual(query, all, top);
  }

  public void testRequiredAndMinimumShouldMatch() throws IOException {
    for (int round = 0; round < 5; round++) {
      List<SoftTermQuery> clauses = clauses();
      List<Map<Integer, Float>> each = scores(clauses);
      for (int required = 1; required <= 3; required++) {
        BooleanQuery.Builder builder = new BooleanQuery.Builder();
        Occur occur = required == 3 ? Occur.MUST : Occur.SHOULD;
        clauses.forEach(clause -> builder.add(clause, occur));
        builder.setMinimumNumberShouldMatch(required == 3 ? 0 : required);
        BooleanQuery query = builder.build();
        Map<Integer, Float> found = scores(query);
        for (int doc = 0; doc < reader.maxDoc(); doc++) {
          List<Float> parts = of(doc, each);
          boolean matches = parts.stream().filter(score -> score > 0).count() >= required;
          assertEquals(matches, found.containsKey(doc));
          double sum = parts.stream().mapToDouble(Float::doubleValue).sum();
          assertEquals(matches ? sum : 0, found.getOrDefault(doc, 0f), 1e-5);
        }
        checkTop(query);
      }
    }
  }

  public void testDisjunctionMax() throws IOException {
    for (int round = 0; round < 5; round++) {
      List<SoftTermQuery> clauses = clauses();
      List<Map<Integer, Float>> each = scores(clauses);
      float tie = random().nextBoolean() ? 0f : 0.3f;
      Query query = new DisjunctionMaxQuery(clauses, tie);
      // CheckHits.checkTopScores sometimes fails on this query of TermQuery clauses too
      Map<Integer, Float> found = scores(query);
      for (int doc = 0; doc < reader.maxDoc(); doc++) {
        List<Float> parts = of(doc, each);
        double sum = parts.stream().mapToDouble(Float::doubleValue).sum();
        double max = parts.stream().mapToDouble(Float::doubleValue).max().orElseThrow();
        assertEquals(max + tie * (sum - max), found.getOrDefault(doc, 0f), 1e-5);
      }
      checkTop(query);
    }
  }

  /** Without frequencies a term counts once; without norms length does not count. */
  public void testFieldsThatIndexLess() throws IOException {
    for (String field : FIELDS.keySet()) {
      SoftTermQuery query = soft(field, random().nextInt(VOCABULARY));
      checkTop(query);
      CheckHits.checkTopScores(random(), query, searcher);
      CheckHits.checkExplanations(query, field, searcher, true);
      ScoreDoc[] hits = searcher.search(query, 1000).scoreDocs;
      assertTrue(field, hits.length > 0);
      boolean counts = FIELDS.get(field).indexOptions() != IndexOptions.DOCS;
      boolean norms = !FIELDS.get(field).omitNorms();
      Map<String, Float> scoreOf = new HashMap<>();
      for (ScoreDoc hit : hits) {
        List<String> words =
            List.of(searcher.storedFields().document(hit.doc).get(field).split(" "));
        double frequency = 0;
        for (WeightedTerm term : query.terms()) {
          long tf = words.stream().filter(term.bytes().utf8ToString()::equals).count();
          frequency += term.weight() * (counts ? tf : Math.min(tf, 1));
        }
        // as Lucene has it, the length is that of what is indexed
        long length = counts ? words.size() : words.stream().distinct().count();
        String key = frequency + (norms ? " in " + length : "");
        Float other = scoreOf.putIfAbsent(key, hit.score);
        assertEquals(field + " " + key, other == null ? hit.score : other, hit.score, 1e-6f);
      }
      assertTrue(field, scoreOf.size() > 1);
    }
  }

  public void testMatchesWithoutPositions() throws IOException {
    for (String field : FIELDS.keySet()) {
      SoftTermQuery query = soft(field, 0);
      Weight weight = searcher.createWeight(searcher.rewrite(query), ScoreMode.COMPLETE, 1f);
      for (LeafReaderContext leaf : searcher.getIndexReader().leaves()) {
        for (int doc = 0; doc < Math.min(20, leaf.reader().maxDoc()); doc++) {
          Matches matches = weight.matches(leaf, doc);
          boolean expected = searcher.explain(query, leaf.docBase + doc).isMatch();
          assertEquals(field, expected, matches != null);
          if (matches != null) {
            assertEquals(field.equals(TEXT), matches.getMatches(field) != null);
          }
        }
      }
    }
  }
}
