package org.semanticbm25.similarity.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StringField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.MultiDocValues;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.index.ReaderUtil;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.CollectionStatistics;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.MatchesIterator;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.ScoreMode;
import org.apache.lucene.search.Scorer;
import org.apache.lucene.search.SynonymQuery;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TermStatistics;
import org.apache.lucene.search.TopScoreDocCollectorManager;
import org.apache.lucene.search.Weight;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.search.similarities.PerFieldSimilarityWrapper;
import org.apache.lucene.search.similarities.Similarity;
import org.apache.lucene.store.Directory;
import org.apache.lucene.tests.analysis.MockAnalyzer;
import org.apache.lucene.tests.index.RandomIndexWriter;
import org.apache.lucene.tests.search.CheckHits;
import org.apache.lucene.tests.search.QueryUtils;
import org.apache.lucene.tests.util.LuceneTestCase;
import org.apache.lucene.tests.util.TestUtil;
import org.apache.lucene.util.BytesRef;
import org.semanticbm25.similarity.search.SemanticBM25Similarity.TermIdf;

/** On random indexes, against sums over the documents' own words. */
public class TestSoftTermQuery extends LuceneTestCase {
  private static final String FIELD = "body";
  private static final int VOCABULARY = 30;

  private Directory directory;
  private IndexReader reader;
  private IndexSearcher searcher;
  private Similarity similarity;

  /** Word i is frequent if i is small; the last words are in no document. */
  private static String word(int i) {
    return "w" + i;
  }

  private void index(int documents, boolean deletions) throws IOException {
    Random random = random();
    directory = newDirectory();
    similarity =
        new SemanticBM25Similarity(
            random.nextFloat() * 2,
            random.nextFloat(),
            random.nextFloat(),
            (term, passages) -> term.length % 2 == 0 ? Float.NaN : 3f);
    IndexWriterConfig config = newIndexWriterConfig(new MockAnalyzer(random));
    config.setSimilarity(similarity);
    RandomIndexWriter writer = new RandomIndexWriter(random, directory, config);
    for (int i = 0; i < documents; i++) {
      StringBuilder text = new StringBuilder();
      for (int length = TestUtil.nextInt(random, 0, 40); length > 0; length--) {
        double u = random.nextDouble();
        text.append(word((int) (u * u * u * (VOCABULARY - 5)))).append(' ');
      }
      Document document = new Document();
      document.add(new StringField("id", Integer.toString(i), Field.Store.YES));
      document.add(new TextField(FIELD, text.toString(), Field.Store.YES));
      writer.addDocument(document);
    }
    for (int i = 0; deletions && i < documents / 10; i++) {
      writer.deleteDocuments(new Term("id", Integer.toString(random.nextInt(documents))));
    }
    if (random.nextBoolean()) {
      writer.forceMerge(1);
    }
    reader = writer.getReader();
    writer.close();
    searcher = newSearcher(reader);
    searcher.setSimilarity(similarity);
  }

  @Override
  public void tearDown() throws Exception {
    if (reader != null) {
      reader.close();
      directory.close();
    }
    super.tearDown();
  }

  private static SoftTermQuery randomQuery(Random random) {
    SoftTermQuery.Builder builder =
        new SoftTermQuery.Builder(new Term(FIELD, word(random.nextInt(VOCABULARY))));
    int soft = TestUtil.nextInt(random, 1, 6);
    List<Integer> words = new ArrayList<>(IntStream.range(0, VOCABULARY).boxed().toList());
    Collections.shuffle(words, random);
    for (int i = 0; i < soft; i++) {
      BytesRef term = new BytesRef(word(words.get(i)));
      if (!term.equals(builder.build().getTerm().bytes())) {
        float weight = random.nextBoolean() ? 1f : Math.max(0.01f, random.nextFloat());
        if (random.nextInt(4) == 0) {
          builder.addSynonym(term, weight);
        } else {
          builder.add(term, weight);
        }
      }
    }
    return builder.build();
  }

  private TermStatistics greatest(SoftTermQuery query, TermStatistics before, Term term)
      throws IOException {
    return new TermStatistics(
        query.getTerm().bytes(),
        Math.max(before.docFreq(), reader.docFreq(term)),
        Math.max(before.totalTermFreq(), reader.totalTermFreq(term)));
  }

  /**
   * The definition: count words in the stored text, weigh, and put the sum through the similarity.
   */
  private float[] scoresByDefinition(SoftTermQuery query) throws IOException {
    float[] scores = new float[reader.maxDoc()];
    // a term in no document counts as one in a single document
    TermStatistics statistics = new TermStatistics(query.getTerm().bytes(), 1, 1);
    boolean any = false;
    for (WeightedTerm t : query.terms()) {
      Term term = new Term(FIELD, t.bytes());
      any |= reader.docFreq(term) > 0;
      if (t.exact() && reader.docFreq(term) > 0) {
        statistics = greatest(query, statistics, term);
      }
    }
    if (!any) {
      return scores;
    }
    CollectionStatistics collection = searcher.collectionStatistics(FIELD);
    Similarity.SimScorer scorer = similarity.scorer(1f, collection, statistics);
    for (int doc = 0; doc < scores.length; doc++) {
      List<String> words = List.of(reader.storedFields().document(doc).get(FIELD).split(" "));
      double freq = 0;
      for (WeightedTerm t : query.terms()) {
        long tf = words.stream().filter(t.bytes().utf8ToString()::equals).count();
        freq += t.weight() * (double) tf;
      }
      NumericDocValues norms = MultiDocValues.getNormValues(reader, FIELD);
      scores[doc] =
          freq == 0
              ? 0f
              : scorer.score((float) freq, norms.advanceExact(doc) ? norms.longValue() : 1L);
    }
    return scores;
  }

  public void testScoresEqualTheirDefinition() throws IOException {
    index(atLeast(300), false);
    for (int i = 0; i < 20; i++) {
      SoftTermQuery query = randomQuery(random());
      float[] expected = scoresByDefinition(query);
      int matching = 0;
      for (ScoreDoc hit : searcher.search(query, reader.maxDoc()).scoreDocs) {
        assertEquals(query.toString(), expected[hit.doc], hit.score, 0f);
        matching++;
      }
      assertEquals(
          IntStream.range(0, expected.length).filter(d -> expected[d] > 0).count(), matching);
    }
  }

  public void testExplanationsEqualScores() throws IOException {
    index(atLeast(50), true);
    for (int i = 0; i < 5; i++) {
      SoftTermQuery query = randomQuery(random());
      CheckHits.checkExplanations(query, FIELD, searcher, true);
      for (ScoreDoc hit : searcher.search(query, 10).scoreDocs) {
        Explanation explanation = searcher.explain(query, hit.doc);
        assertEquals(hit.score, explanation.getValue().floatValue(), 0f);
        assertTrue(
            explanation.toString(),
            explanation.toString().contains("softFreq, over matching terms"));
      }
    }
  }

  public void testLuceneChecks() throws IOException {
    // these checks take a deleted document between two hits for an error
    index(atLeast(100), false);
    for (int i = 0; i < 5; i++) {
      QueryUtils.check(random(), randomQuery(random()), searcher);
    }
  }

  /** Skipping by impacts must not change a hit, alone or among other clauses. */
  public void testTopHitsEqualExhaustiveOnes() throws IOException {
    index(atLeast(5000), true);
    for (int i = 0; i < 20; i++) {
      BooleanQuery.Builder several = new BooleanQuery.Builder();
      for (int clauses = TestUtil.nextInt(random(), 1, 4); clauses > 0; clauses--) {
        several.add(randomQuery(random()), Occur.SHOULD);
      }
      if (random().nextInt(4) == 0) {
        several.add(new TermQuery(new Term(FIELD, word(2))), Occur.FILTER);
      }
      Query query = random().nextBoolean() ? several.build() : randomQuery(random());
      int n = TestUtil.nextInt(random(), 1, 20);
      ScoreDoc[] all =
          searcher.search(query, new TopScoreDocCollectorManager(n, Integer.MAX_VALUE)).scoreDocs;
      ScoreDoc[] top = searcher.search(query, new TopScoreDocCollectorManager(n, 1)).scoreDocs;
      CheckHits.checkEqual(query, all, top);
    }
  }

  public void testRefusesAnotherSimilarityThanItRequires() throws IOException {
    index(20, false);
    SemanticBM25Similarity required = new SemanticBM25Similarity(1.5f, 0.5f, 0f, TermIdf.NONE);
    SoftTermQuery.Builder builder =
        new SoftTermQuery.Builder(new Term(FIELD, word(0))).require(required);
    Query plain = builder.build();
    Query soft = builder.add(new BytesRef(word(1)), 0.5f).build();
    for (Query query : List.of(plain, soft)) {
      searcher.setSimilarity(new BM25Similarity());
      IllegalStateException e =
          expectThrows(IllegalStateException.class, () -> searcher.search(query, 10));
      assertTrue(e.getMessage(), e.getMessage().contains("SemanticBM25(k1=1.5"));
      searcher.setSimilarity(new SemanticBM25Similarity(1.5f, 0.5f, 0f, TermIdf.NONE));
      searcher.search(query, 10);
      searcher.setSimilarity(
          new PerFieldSimilarityWrapper() {
            @Override
            public Similarity get(String field) {
              return field.equals(FIELD) ? required : new BM25Similarity();
            }
          });
      searcher.search(query, 10);
    }
    assertFalse(soft.equals(new SoftTermQuery.Builder(new Term(FIELD, word(0))).build()));
  }

  public void testSynonymsScoreAsLucenesSynonymQuery() throws IOException {
    index(atLeast(200), false);
    SoftTermQuery ours =
        new SoftTermQuery.Builder(new Term(FIELD, word(1)))
            .addSynonym(new BytesRef(word(3)), 0.5f)
            .build();
    Query lucenes =
        new SynonymQuery.Builder(FIELD)
            .addTerm(new Term(FIELD, word(1)))
            .addTerm(new Term(FIELD, word(3)), 0.5f)
            .build();
    searcher.setSimilarity(new BM25Similarity());
    ScoreDoc[] expected = searcher.search(lucenes, 50).scoreDocs;
    ScoreDoc[] actual = searcher.search(ours, 50).scoreDocs;
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i].score, actual[i].score, 1e-6f);
    }
  }

  public void testIsExactlyBM25WithoutSoftTerms() throws IOException {
    index(atLeast(500), true);
    float k1 = random().nextFloat() * 2;
    float b = random().nextFloat();
    IndexSearcher bm25 = newSearcher(reader);
    bm25.setSimilarity(new BM25Similarity(k1, b));
    IndexSearcher semantic = newSearcher(reader);
    semantic.setSimilarity(new SemanticBM25Similarity(k1, b, 0f, (term, passages) -> 1f));
    BooleanQuery.Builder terms = new BooleanQuery.Builder();
    BooleanQuery.Builder softTerms = new BooleanQuery.Builder();
    for (int i = 0; i < 4; i++) {
      Term term = new Term(FIELD, word(random().nextInt(VOCABULARY)));
      terms.add(new TermQuery(term), Occur.SHOULD);
      softTerms.add(new SoftTermQuery.Builder(term).build(), Occur.SHOULD);
    }
    ScoreDoc[] expected = bm25.search(terms.build(), 100).scoreDocs;
    ScoreDoc[] actual = semantic.search(softTerms.build(), 100).scoreDocs;
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i].doc, actual[i].doc);
      assertEquals(expected[i].score, actual[i].score, 0f);
    }
  }

  /** A soft match of small weight must bound its blocks by little: else nothing is skipped. */
  public void testImpactsOfSmallWeightsAreTight() throws IOException {
    directory = newDirectory();
    IndexWriterConfig config = new IndexWriterConfig(new MockAnalyzer(random()));
    config.setCodec(TestUtil.getDefaultCodec());
    try (IndexWriter writer = new IndexWriter(directory, config)) {
      for (int i = 0; i < 500; i++) {
        Document document = new Document();
        document.add(new TextField(FIELD, "soft and " + "more ".repeat(i % 7), Field.Store.NO));
        writer.addDocument(document);
      }
      writer.forceMerge(1);
    }
    reader = DirectoryReader.open(directory);
    IndexSearcher plain = new IndexSearcher(reader);
    SoftTermQuery query =
        new SoftTermQuery.Builder(new Term(FIELD, "absent"))
            .add(new BytesRef("soft"), 0.1f)
            .build();
    float best = plain.search(query, 1).scoreDocs[0].score;
    Scorer scorer =
        plain.createWeight(query, ScoreMode.TOP_SCORES, 1f).scorer(reader.leaves().get(0));
    scorer.advanceShallow(0);
    float bound = scorer.getMaxScore(100);
    assertTrue(bound + " < " + best, bound >= best);
    // rounded up to a whole occurrence, it would be 5 times as high
    assertTrue(bound + " is far above " + best, bound < 1.2f * best);
  }

  public void testMatchesReportsTheTerms() throws IOException {
    index(atLeast(50), false);
    SoftTermQuery query =
        new SoftTermQuery.Builder(new Term(FIELD, word(0)))
            .add(new BytesRef(word(1)), 0.5f)
            .build();
    ScoreDoc hit = searcher.search(query, 1).scoreDocs[0];
    // the searcher may have wrapped the reader
    var leaves = searcher.getIndexReader().leaves();
    var leaf = leaves.get(ReaderUtil.subIndex(hit.doc, leaves));
    String[] words = searcher.storedFields().document(hit.doc).get(FIELD).split(" ");
    for (ScoreMode mode : ScoreMode.values()) {
      Weight weight = searcher.createWeight(searcher.rewrite(query), mode, 1f);
      MatchesIterator matches = weight.matches(leaf, hit.doc - leaf.docBase).getMatches(FIELD);
      for (int i = 0; i < words.length; i++) {
        if (words[i].equals(word(0)) || words[i].equals(word(1))) {
          assertTrue(matches.next());
          assertEquals(i, matches.startPosition());
          assertEquals(query, matches.getQuery());
        }
      }
      assertFalse(matches.next());
      for (int doc = 0; doc < leaf.reader().maxDoc(); doc++) {
        assertEquals(matches(leaf, doc), weight.matches(leaf, doc) != null);
      }
    }
  }

  private static boolean matches(LeafReaderContext leaf, int doc) throws IOException {
    List<String> words = List.of(leaf.reader().storedFields().document(doc).get(FIELD).split(" "));
    return words.contains(word(0)) || words.contains(word(1));
  }

  /** Statistics of all shards that one of them does not hold itself. */
  public void testAShardScoresByStatisticsFromElsewhere() throws IOException {
    index(atLeast(50), false);
    SoftTermQuery query =
        new SoftTermQuery.Builder(new Term(FIELD, "elsewhere"))
            .add(new BytesRef(word(0)), 0.5f)
            .build();
    IndexSearcher global =
        new IndexSearcher(reader) {
          @Override
          public TermStatistics termStatistics(Term term, int docFreq, long totalTermFreq) {
            return term.text().equals("elsewhere")
                ? new TermStatistics(term.bytes(), 20, 30)
                : new TermStatistics(term.bytes(), docFreq, totalTermFreq);
          }
        };
    global.setSimilarity(similarity);
    ScoreDoc hit = global.search(query, 1).scoreDocs[0];
    Similarity.SimScorer scorer =
        similarity.scorer(
            1f,
            global.collectionStatistics(FIELD),
            new TermStatistics(new BytesRef("elsewhere"), 20, 30));
    String[] words = reader.storedFields().document(hit.doc).get(FIELD).split(" ");
    long tf = Stream.of(words).filter(word(0)::equals).count();
    NumericDocValues norms = MultiDocValues.getNormValues(reader, FIELD);
    assertTrue(norms.advanceExact(hit.doc));
    assertEquals(scorer.score(0.5f * tf, norms.longValue()), hit.score, 0f);
  }

  /** One document with a term that none had changes no score by a jump. */
  public void testTheFirstDocumentWithATermChangesLittle() throws IOException {
    float[] scores = new float[2];
    for (int with = 0; with < 2; with++) {
      try (Directory some = newDirectory()) {
        try (IndexWriter writer = new IndexWriter(some, new IndexWriterConfig())) {
          for (int i = 0; i < 1000; i++) {
            Document document = new Document();
            String text = i == 0 ? "notebook" : i == 1 && with == 1 ? "laptop" : "tea";
            document.add(new TextField(FIELD, text, Field.Store.NO));
            writer.addDocument(document);
          }
        }
        try (IndexReader open = DirectoryReader.open(some)) {
          SoftTermQuery query =
              new SoftTermQuery.Builder(new Term(FIELD, "laptop"))
                  .add(new BytesRef("notebook"), 0.5f)
                  .build();
          for (ScoreDoc hit : new IndexSearcher(open).search(query, 2).scoreDocs) {
            scores[with] = hit.doc == 0 ? hit.score : scores[with];
          }
        }
      }
    }
    assertTrue(scores[0] > 0);
    assertEquals(scores[0], scores[1], 1e-4);
  }

  public void testTermsThatTheIndexDoesNotHold() throws IOException {
    index(atLeast(50), false);
    SoftTermQuery nothing =
        new SoftTermQuery.Builder(new Term(FIELD, "absent"))
            .add(new BytesRef("gone"), 0.5f)
            .build();
    assertEquals(0, searcher.count(nothing));
    assertEquals(0, searcher.search(nothing, 10).scoreDocs.length);
    QueryUtils.check(random(), nothing, searcher);
    SoftTermQuery otherField =
        new SoftTermQuery.Builder(new Term("none", "w0")).add(new BytesRef("w1"), 0.5f).build();
    assertEquals(0, searcher.search(otherField, 10).scoreDocs.length);
  }

  public void testRewritesToATermWithoutSoftTerms() throws IOException {
    index(10, false);
    Term term = new Term(FIELD, "w1");
    assertEquals(new TermQuery(term), searcher.rewrite(new SoftTermQuery.Builder(term).build()));
  }

  public void testEqualityDoesNotHangOnOrder() {
    Term term = new Term(FIELD, "b");
    SoftTermQuery one =
        new SoftTermQuery.Builder(term)
            .add(new BytesRef("a"), 0.5f)
            .add(new BytesRef("c"), 1f)
            .build();
    SoftTermQuery same =
        new SoftTermQuery.Builder(term)
            .add(new BytesRef("c"), 1f)
            .add(new BytesRef("a"), 0.5f)
            .build();
    QueryUtils.checkEqual(one, same);
    QueryUtils.checkUnequal(
        one,
        new SoftTermQuery.Builder(term)
            .add(new BytesRef("a"), 0.6f)
            .add(new BytesRef("c"), 1f)
            .build());
    QueryUtils.checkUnequal(
        one,
        new SoftTermQuery.Builder(new Term(FIELD, "a"))
            .add(new BytesRef("b"), 0.5f)
            .add(new BytesRef("c"), 1f)
            .build());
    assertEquals("Soft(body:b ~ c^1.0 a^0.5)", one.toString("x"));
    assertEquals(List.of("c", "a"), one.getSoftTerms().stream().map(t -> t.term().text()).toList());
    assertEquals(
        List.of(one), SoftTermQuery.in(new BooleanQuery.Builder().add(one, Occur.SHOULD).build()));
  }

  public void testRefusesIllegalWeightsAndRepetitions() {
    SoftTermQuery.Builder builder = new SoftTermQuery.Builder(new Term(FIELD, "b"));
    for (float weight : new float[] {0f, -1f, 1.001f, Float.NaN, Float.POSITIVE_INFINITY}) {
      IllegalArgumentException e =
          expectThrows(
              IllegalArgumentException.class, () -> builder.add(new BytesRef("a"), weight));
      assertTrue(e.getMessage(), e.getMessage().startsWith("illegal weight: " + weight));
    }
    expectThrows(IllegalArgumentException.class, () -> builder.add(new BytesRef("b"), 0.5f));
    builder.add(new BytesRef("a"), 0.5f);
    expectThrows(IllegalArgumentException.class, () -> builder.add(new BytesRef("a"), 0.5f));
  }

  public void testKeepsItsOwnCopyOfTerms() {
    BytesRef shared = new BytesRef("a");
    SoftTermQuery query = new SoftTermQuery.Builder(new Term(FIELD, "b")).add(shared, 0.5f).build();
    shared.bytes[shared.offset] = 'z';
    assertEquals("a", query.getSoftTerms().get(0).term().text());
  }

  public void testSoftTermsAreSortedByWeight() {
    SoftTermQuery query = randomQuery(random());
    List<Float> weights =
        query.getSoftTerms().stream().map(SoftTermQuery.SoftTerm::weight).toList();
    assertEquals(weights.stream().sorted(Comparator.reverseOrder()).toList(), weights);
  }

  public void testFoundInTheOrderOfTheQuery() {
    BooleanQuery.Builder all = new BooleanQuery.Builder();
    List<Term> terms = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      Term term = new Term("field", "term" + i);
      terms.add(term);
      Query soft = new SoftTermQuery.Builder(term).build();
      all.add(i % 2 == 0 ? soft : new BoostQuery(soft, 2f), Occur.SHOULD);
    }
    Query prohibited = new SoftTermQuery.Builder(new Term("field", "not")).build();
    all.add(prohibited, Occur.MUST_NOT);
    assertEquals(
        terms, SoftTermQuery.in(all.build()).stream().map(SoftTermQuery::getTerm).toList());
  }
}
