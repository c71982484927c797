package org.semanticbm25.lucene;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.apache.lucene.document.BinaryDocValuesField;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.document.SortedDocValuesField;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.MatchNoDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.store.Directory;
import org.apache.lucene.tests.index.RandomIndexWriter;
import org.apache.lucene.tests.util.LuceneTestCase;
import org.apache.lucene.util.BytesRef;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.runtime.LongPassages;
import org.semanticbm25.onnx.testing.TinyBert;
import org.semanticbm25.onnx.testing.TinyModel;

/** Rescoring of random indexes against scoring every document by itself. */
public class CrossEncoderRescorerTest extends LuceneTestCase {
  private static final String QUERY = "cheap laptop";
  private static final Query FIRST_PASS = new TermQuery(new Term("text", "the"));

  private Directory directory;
  private DirectoryReader reader;
  private IndexSearcher searcher;
  private CrossEncoder encoder;

  @Override
  public void setUp() throws Exception {
    super.setUp();
    encoder = CrossEncoder.builder(model()).threads(2).open();
    directory = newDirectory();
    try (RandomIndexWriter writer = new RandomIndexWriter(random(), directory)) {
      int docs = atLeast(60);
      for (int doc = 0; doc < docs; doc++) {
        writer.addDocument(document());
      }
      reader = writer.getReader();
    }
    searcher = newSearcher(reader);
  }

  private static NeuralModel model() throws IOException {
    Path folder = createTempDir();
    NeuralModel tiny = TinyModel.write(folder, TinyModel.Weights.FLOAT);
    new TinyBert(new TinyBert.Shape(TinyModel.VOCABULARY.size(), 256, 2, 16, 2, 32), 3)
        .write(folder);
    assertTrue(Files.exists(tiny.tokenizer()));
    return NeuralModel.at(folder);
  }

  private static Document document() {
    StringBuilder text = new StringBuilder();
    int words = random().nextInt(random().nextInt(10) == 0 ? 400 : 30);
    for (int i = 0; i < words; i++) {
      text.append(TinyModel.VOCABULARY.get(6 + random().nextInt(14))).append(' ');
    }
    Document document = new Document();
    document.add(new TextField("text", text + "the", Field.Store.YES));
    // doc values have room for short texts only
    String value = text + "the";
    document.add(new SortedDocValuesField("sorted", new BytesRef(value)));
    document.add(new BinaryDocValuesField("binary", new BytesRef(value)));
    document.add(new NumericDocValuesField("number", 1));
    if (random().nextBoolean()) {
      document.add(new StoredField("title", "red banana"));
    }
    return document;
  }

  @Override
  public void tearDown() throws Exception {
    reader.close();
    directory.close();
    encoder.close();
    super.tearDown();
  }

  private String text(int doc) throws IOException {
    return reader.storedFields().document(doc).get("text");
  }

  public void testEqualsScoringEachDocumentByItself() throws IOException {
    TopDocs first = searcher.search(FIRST_PASS, 50);
    List<ScoreDoc> expected = new ArrayList<>();
    for (ScoreDoc hit : first.scoreDocs) {
      float logit = encoder.score(QUERY, List.of(text(hit.doc)))[0];
      expected.add(new ScoreDoc(hit.doc, logit + 0.1f * hit.score));
    }
    float[] before = scores(first);
    for (PassageSource source :
        List.of(
            PassageSource.storedFields("text"),
            PassageSource.docValues("sorted"),
            PassageSource.docValues("binary"),
            leaf -> doc -> text(leaf.docBase + doc))) {
      TopDocs second =
          CrossEncoderRescorer.create(encoder, QUERY, source).rescore(searcher, first, 20);
      assertEquals(20, second.scoreDocs.length);
      assertEquals(first.totalHits, second.totalHits);
      assertRanking(expected, second, 1e-5f);
      for (ScoreDoc hit : second.scoreDocs) {
        ScoreDoc was =
            Arrays.stream(first.scoreDocs).filter(h -> h.doc == hit.doc).findFirst().orElseThrow();
        assertEquals(was.score, ((RescoredDoc) hit).firstPassScore, 0f);
        assertEquals(was.shardIndex, hit.shardIndex);
        assertTrue(hit.toString().contains("firstPassScore=" + was.score));
      }
    }
    assertArrayEquals("the hits given were changed", before, scores(first), 0f);
  }

  private static void assertRanking(List<ScoreDoc> expected, TopDocs actual, float tolerance) {
    expected.sort(
        Comparator.comparingDouble((ScoreDoc hit) -> -hit.score).thenComparingInt(hit -> hit.doc));
    for (int i = 0; i < actual.scoreDocs.length; i++) {
      assertEquals(expected.get(i).score, actual.scoreDocs[i].score, tolerance);
      if (i > 0) {
        ScoreDoc a = actual.scoreDocs[i - 1];
        ScoreDoc b = actual.scoreDocs[i];
        assertTrue(a.score > b.score || (a.score == b.score && a.doc < b.doc));
      }
    }
  }

  public void testInterpolatesWithTheFirstPass() throws IOException {
    TopDocs first = searcher.search(FIRST_PASS, 30);
    CrossEncoderRescorer rescorer =
        CrossEncoderRescorer.interpolated(encoder, QUERY, PassageSource.storedFields("text"), 2f);
    List<ScoreDoc> expected = new ArrayList<>();
    for (ScoreDoc hit : first.scoreDocs) {
      float logit = encoder.score(QUERY, List.of(text(hit.doc)))[0];
      expected.add(new ScoreDoc(hit.doc, logit + 2 * hit.score));
    }
    TopDocs second = rescorer.rescore(searcher, first, 100);
    assertEquals(first.scoreDocs.length, second.scoreDocs.length);
    assertRanking(expected, second, 1e-5f);
    for (float weight : new float[] {-1, Float.NaN, Float.POSITIVE_INFINITY}) {
      IllegalArgumentException e =
          expectThrows(
              IllegalArgumentException.class,
              () ->
                  CrossEncoderRescorer.interpolated(
                      encoder, QUERY, PassageSource.storedFields("text"), weight));
      assertTrue(e.getMessage(), e.getMessage().contains("got: " + weight));
    }
  }

  public void testTheFirstPassHasAPartUnlessSaidOtherwise() throws IOException {
    PassageSource source = PassageSource.storedFields("text");
    TopDocs first = searcher.search(FIRST_PASS, 10);
    for (CrossEncoderRescorer rescorer :
        List.of(
            CrossEncoderRescorer.create(encoder, QUERY, source),
            CrossEncoderRescorer.withFallbackToFirstPassScore(encoder, QUERY, source))) {
      for (ScoreDoc hit : rescorer.rescore(searcher, first, 10).scoreDocs) {
        float logit = encoder.score(QUERY, List.of(text(hit.doc)))[0];
        assertEquals(logit + 0.1f * ((RescoredDoc) hit).firstPassScore, hit.score, 1e-5f);
        Explanation explained =
            rescorer.explain(searcher, searcher.explain(FIRST_PASS, hit.doc), hit.doc);
        assertEquals(hit.score, explained.getValue().floatValue(), 1e-5f);
      }
    }
    for (ScoreDoc hit :
        CrossEncoderRescorer.interpolated(encoder, QUERY, source, 0)
            .rescore(searcher, first, 10)
            .scoreDocs) {
      assertEquals(encoder.score(QUERY, List.of(text(hit.doc)))[0], hit.score, 1e-5f);
    }
  }

  public void testJoinsStoredFields() throws IOException {
    TopDocs first = searcher.search(FIRST_PASS, 30);
    TopDocs second =
        CrossEncoderRescorer.create(
                encoder, QUERY, PassageSource.storedFields("title", "text", "missing"))
            .rescore(searcher, first, 30);
    for (ScoreDoc hit : second.scoreDocs) {
      String title = reader.storedFields().document(hit.doc).get("title");
      String text = (title == null ? "" : title + " ") + text(hit.doc);
      float firstPassScore = ((RescoredDoc) hit).firstPassScore;
      assertEquals(
          encoder.score(QUERY, List.of(text))[0] + 0.1f * firstPassScore, hit.score, 1e-5f);
    }
  }

  public void testReadsADocumentWithoutTextAsEmpty() throws IOException {
    TopDocs first = searcher.search(FIRST_PASS, 30);
    float empty = encoder.score(QUERY, List.of(""))[0];
    PassageSource everySecond =
        leaf -> {
          PassageSource.Passages texts = PassageSource.storedFields("text").open(leaf);
          return doc -> doc % 2 == 0 ? texts.text(doc) : null;
        };
    TopDocs second =
        CrossEncoderRescorer.create(encoder, QUERY, everySecond).rescore(searcher, first, 30);
    int missing = 0;
    for (ScoreDoc hit : second.scoreDocs) {
      RescoredDoc rescored = (RescoredDoc) hit;
      if (!rescored.hasText) {
        assertEquals(empty + 0.1f * rescored.firstPassScore, hit.score, 1e-5f);
        missing++;
      }
    }
    assertTrue(missing + " of " + first.scoreDocs.length, missing > 0 && missing < 30);
    CrossEncoderRescorer fallback =
        CrossEncoderRescorer.withFallbackToFirstPassScore(encoder, QUERY, everySecond);
    int kept = 0;
    for (ScoreDoc hit : fallback.rescore(searcher, first, 30).scoreDocs) {
      Explanation explained =
          fallback.explain(searcher, searcher.explain(FIRST_PASS, hit.doc), hit.doc);
      assertEquals(explained.getValue().floatValue(), hit.score, 1e-5f);
      if (explained.getDescription().contains("has no text")) {
        assertEquals(((RescoredDoc) hit).firstPassScore, hit.score, 0f);
        kept++;
      }
    }
    assertEquals(missing, kept);
  }

  public void testStopsWhenTimeIsUp() throws IOException {
    TopDocs first = searcher.search(FIRST_PASS, 30);
    CrossEncoderRescorer rescorer =
        CrossEncoderRescorer.create(encoder, QUERY, PassageSource.storedFields("text"));
    IOException late =
        expectThrows(
            IOException.class,
            () -> rescorer.withTimeout(Duration.ofNanos(1)).rescore(searcher, first, 30));
    assertTrue(late.getCause() instanceof TimeoutException);
    assertTrue(late.getMessage(), late.getMessage().contains("30 passages were not scored"));
    assertArrayEquals(
        scores(rescorer.rescore(searcher, first, 30)),
        scores(rescorer.withTimeout(Duration.ofMinutes(5)).rescore(searcher, first, 30)),
        1e-5f);
  }

  private static float[] scores(TopDocs hits) {
    float[] scores = new float[hits.scoreDocs.length];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = hits.scoreDocs[i].score;
    }
    return scores;
  }

  public void testRefusesASourceThatKnowsNoHit() throws IOException {
    TopDocs first = searcher.search(FIRST_PASS, 5);
    for (PassageSource source :
        List.of(PassageSource.storedFields("none"), PassageSource.docValues("none"))) {
      CrossEncoderRescorer rescorer = CrossEncoderRescorer.create(encoder, QUERY, source);
      String message =
          expectThrows(IllegalArgumentException.class, () -> rescorer.rescore(searcher, first, 5))
              .getMessage();
      assertTrue(message, message.contains("none of the 5 hits has a text"));
    }
  }

  public void testExplainsBothScoresTokensAndTruncation() throws IOException {
    TopDocs first = searcher.search(FIRST_PASS, 50);
    PassageSource source = PassageSource.storedFields("text");
    for (CrossEncoderRescorer rescorer :
        List.of(
            CrossEncoderRescorer.create(encoder, QUERY, source),
            CrossEncoderRescorer.interpolated(encoder, QUERY, source, 0.5f))) {
      for (ScoreDoc hit : rescorer.rescore(searcher, first, 50).scoreDocs) {
        Explanation before = searcher.explain(FIRST_PASS, hit.doc);
        Explanation explanation = rescorer.explain(searcher, before, hit.doc);
        assertTrue(explanation.isMatch());
        assertEquals(hit.score, explanation.getValue().floatValue(), 1e-5f);
        String text = explanation.toString();
        assertTrue(text, text.contains("query tokens: cheap laptop"));
        assertTrue(text, text.contains("firstPassScore, of the first pass"));
        assertTrue(text, text.contains(before.getDescription()));
        boolean fits = text(hit.doc).split(" ").length <= 256 - 3 - 2;
        assertEquals(text, !fits, text.contains("passage tokens cut off"));
      }
    }
    try (CrossEncoder best =
        CrossEncoder.builder(encoder.model()).longPassages(LongPassages.BEST_WINDOW).open()) {
      CrossEncoderRescorer rescorer =
          CrossEncoderRescorer.create(best, QUERY, leaf -> doc -> "red car ".repeat(400));
      String text = rescorer.explain(searcher, Explanation.match(1f, "first"), 0).toString();
      assertTrue(text, text.contains("windows of the passage, of 251 tokens at most"));
    }
  }

  public void testRefusesBadInput() throws IOException {
    CrossEncoderRescorer rescorer =
        CrossEncoderRescorer.create(encoder, QUERY, PassageSource.docValues("number"));
    TopDocs first = searcher.search(FIRST_PASS, 5);
    IllegalArgumentException e =
        expectThrows(IllegalArgumentException.class, () -> rescorer.rescore(searcher, first, 5));
    assertTrue(e.getMessage(), e.getMessage().contains("'number' has doc values of type NUMERIC"));
    TopDocs unscored = new TopDocs(first.totalHits, new ScoreDoc[] {new ScoreDoc(0, Float.NaN)});
    e =
        expectThrows(
            IllegalArgumentException.class,
            () ->
                CrossEncoderRescorer.create(encoder, QUERY, PassageSource.storedFields("text"))
                    .rescore(searcher, unscored, 5));
    assertTrue(e.getMessage(), e.getMessage().contains("document 0 has no score"));
    assertEquals(
        1,
        CrossEncoderRescorer.interpolated(encoder, QUERY, PassageSource.storedFields("text"), 0)
            .rescore(searcher, unscored, 5)
            .scoreDocs
            .length);
    e = expectThrows(IllegalArgumentException.class, () -> rescorer.rescore(searcher, first, 0));
    assertTrue(e.getMessage(), e.getMessage().contains("got: 0"));
  }

  public void testEmptyFirstPass() throws IOException {
    TopDocs none = searcher.search(MatchNoDocsQuery.INSTANCE, 5);
    TopDocs second =
        CrossEncoderRescorer.create(encoder, QUERY, PassageSource.storedFields("text"))
            .rescore(searcher, none, 5);
    assertEquals(0, second.scoreDocs.length);
  }
}
