package org.semanticbm25.similarity.field;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.FeatureField;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StringField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.MatchNoDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TopScoreDocCollectorManager;
import org.apache.lucene.store.Directory;
import org.apache.lucene.tests.analysis.MockAnalyzer;
import org.apache.lucene.tests.analysis.MockTokenizer;
import org.apache.lucene.tests.index.RandomIndexWriter;
import org.apache.lucene.tests.search.CheckHits;
import org.apache.lucene.tests.search.QueryUtils;
import org.apache.lucene.tests.util.LuceneTestCase;
import org.apache.lucene.tests.util.TestUtil;
import org.semanticbm25.similarity.model.ContextualModel;
import org.semanticbm25.similarity.model.ContextualModel.Parameters;
import org.semanticbm25.similarity.model.Profile;
import org.semanticbm25.similarity.model.Provenance;
import org.semanticbm25.similarity.model.SoftFrequencies;
import org.semanticbm25.similarity.model.TermVectors;
import org.semanticbm25.similarity.search.ContextualTermQuery;
import org.semanticbm25.similarity.search.SoftFieldMark;

/** On random indexes, against the formula over the documents' own words and soft frequencies. */
public class TestContextualField extends LuceneTestCase {
  private static final String FIELD = "body";
  private static final int WORDS = 30;
  private static final int IN_MODEL = 25;
  private static final int MAX_SOFT_TERMS = 5;
  private static final float MEAN_LENGTH = 18f;

  /** A passage, and what an encoder found in it. */
  private record Passage(String text, SoftFrequencies soft) {}

  private final List<Passage> passages = new ArrayList<>();
  private ContextualField field;
  private SoftTermFields fields;
  private Directory directory;
  private IndexReader reader;
  private IndexSearcher searcher;

  private static String word(int i) {
    return "w" + i;
  }

  private static ContextualModel model(Random random) {
    float[] weights = new float[IN_MODEL];
    float[] idf = new float[IN_MODEL];
    float[][] vectors = new float[IN_MODEL][];
    for (int i = 0; i < IN_MODEL; i++) {
      weights[i] = 0.5f + random.nextFloat();
      idf[i] = 5 * random.nextFloat();
      vectors[i] = new float[] {1f, random.nextFloat()};
    }
    return new ContextualModel(
        new Provenance("tiny", "ab12", "1.0", "2026-11-01T00:00:00Z", Map.of()),
        new Parameters(
            0.5f + 5 * random.nextFloat(),
            random.nextFloat(),
            0.5f,
            1f + random.nextFloat(),
            0f,
            random.nextBoolean() ? 0f : random.nextFloat()),
        IntStream.range(0, IN_MODEL).mapToObj(TestContextualField::word).toList(),
        weights,
        idf,
        TermVectors.quantize(2, vectors));
  }

  private static Passage passage(Random random) {
    StringBuilder text = new StringBuilder();
    for (int length = TestUtil.nextInt(random, 0, 40); length > 0; length--) {
      double u = random.nextDouble();
      text.append(word((int) (u * u * WORDS))).append(' ');
    }
    int[] found = IntStream.range(0, IN_MODEL).filter(i -> random.nextInt(3) == 0).toArray();
    float[] soft = new float[found.length];
    for (int i = 0; i < soft.length; i++) {
      soft[i] = 0.01f + 4 * random.nextFloat();
    }
    return new Passage(text.toString(), new SoftFrequencies(found, soft));
  }

  private void index(int count, boolean deletions) throws IOException {
    Random random = random();
    MockAnalyzer analyzer = new MockAnalyzer(random, MockTokenizer.WHITESPACE, true);
    field = ContextualField.of(model(random), FIELD, analyzer);
    fields = new SoftTermFields(field, MEAN_LENGTH, MAX_SOFT_TERMS);
    directory = newDirectory();
    RandomIndexWriter writer =
        new RandomIndexWriter(random, directory, newIndexWriterConfig(analyzer));
    for (int i = 0; i < count; i++) {
      Passage passage = passage(random);
      passages.add(passage);
      Document document = new Document();
      document.add(new StringField("id", Integer.toString(i), Field.Store.YES));
      document.add(new TextField(FIELD, passage.text(), Field.Store.NO));
      fields.of(passage.text(), passage.soft()).forEach(document::add);
      writer.addDocument(document);
    }
    for (int i = 0; deletions && i < count / 10; i++) {
      writer.deleteDocuments(new Term("id", Integer.toString(random.nextInt(count))));
    }
    if (random.nextBoolean()) {
      writer.forceMerge(1);
    }
    reader = writer.getReader();
    writer.close();
    searcher = newSearcher(reader);
  }

  /** Values by term, as they are kept. */
  private Map<String, Float> stored(Passage passage) {
    Map<String, Float> values = new HashMap<>();
    for (FeatureField feature : fields.of(passage.text(), passage.soft())) {
      int kept = Float.floatToIntBits(feature.getFeatureValue()) >>> 15 << 15;
      values.put(feature.stringValue(), Float.intBitsToFloat(kept));
    }
    return values;
  }

  @Override
  public void tearDown() throws Exception {
    if (reader != null) {
      reader.close();
      directory.close();
    }
    super.tearDown();
  }

  /** Parts of the score without IDF, by word: the definition, all terms sorted. */
  private Map<String, Double> definition(Passage passage) {
    String[] words = passage.text().isEmpty() ? new String[0] : passage.text().split(" ");
    Map<String, Integer> literal = new HashMap<>();
    for (String word : words) {
      literal.merge(word, 1, Integer::sum);
    }
    Map<String, Double> soft = new HashMap<>();
    for (int i = 0; words.length > 0 && i < passage.soft().size(); i++) {
      soft.put(word(passage.soft().term(i)), (double) passage.soft().frequency(i));
    }
    Map<String, Double> parts = new HashMap<>();
    literal.forEach(
        (word, tf) -> parts.put(word, part(word, tf, soft.getOrDefault(word, 0.0), words.length)));
    soft.keySet().removeAll(literal.keySet());
    soft.entrySet().stream()
        .sorted(Comparator.comparingDouble(e -> -worth(e.getKey(), e.getValue(), words.length)))
        .limit(MAX_SOFT_TERMS)
        .forEach(e -> parts.put(e.getKey(), part(e.getKey(), 0, e.getValue(), words.length)));
    return parts;
  }

  private double part(String word, int tf, double soft, int length) {
    Parameters parameters = field.model().parameters();
    double norm = 1 - parameters.b() + parameters.b() * length / MEAN_LENGTH;
    double literalNorm = 0.25 + 0.75 * length / MEAN_LENGTH;
    return weight(word) * (tf + soft) / (tf + soft + parameters.k1() * norm)
        + parameters.literal() * tf / (tf + 1.2 * literalNorm);
  }

  private double worth(String word, double soft, int length) {
    return field.model().idf(number(word)) * part(word, 0, soft, length);
  }

  private static int number(String word) {
    return Integer.parseInt(word.substring(1));
  }

  private double weight(String word) {
    return number(word) < IN_MODEL ? field.model().weight(number(word)) : 1;
  }

  /** The part of a score that a stored value stands for. */
  private double part(String word, float value) {
    Parameters parameters = field.model().parameters();
    return (weight(word) + parameters.literal()) * value / (value + parameters.k1());
  }

  public void testStoresTheDefinition() throws IOException {
    index(200, true);
    for (Passage passage : passages) {
      Map<String, Double> expected = definition(passage);
      Map<String, Float> stored = stored(passage);
      if (!expected.isEmpty()) {
        String mark = new SoftFieldMark(field.model().id(), MEAN_LENGTH).feature();
        assertEquals(1f, stored.remove(mark), 0f);
      }
      assertEquals(expected.keySet(), stored.keySet());
      expected.forEach(
          (word, part) -> assertEquals(word, part, part(word, stored.get(word)), 0.004 * part));
    }
  }

  private String randomText() {
    StringBuilder text = new StringBuilder();
    for (int i = TestUtil.nextInt(random(), 1, 5); i > 0; i--) {
      text.append(word(random().nextInt(WORDS + 2))).append(' ');
    }
    return text.toString();
  }

  /** The parts of one document, with their IDF values. */
  private double score(String text, Passage passage) throws IOException {
    Map<String, Float> stored = stored(passage);
    ContextualModel model = field.model();
    double sum = 0;
    for (String word : Arrays.stream(text.split(" ")).distinct().toList()) {
      int df = reader.docFreq(new Term(FIELD, word));
      double modelIdf = number(word) < IN_MODEL ? model.idf(number(word)) : 0;
      double idf =
          df == 0 ? modelIdf : Math.log(1 + (reader.getDocCount(FIELD) - df + 0.5) / (df + 0.5));
      sum += idf * part(word, stored.getOrDefault(word, 0f));
    }
    return sum;
  }

  public void testScoresTheDefinition() throws IOException {
    index(atLeast(100), true);
    for (int i = 0; i < 20; i++) {
      String text = randomText();
      for (ScoreDoc hit : searcher.search(field.query(text), reader.maxDoc() + 1).scoreDocs) {
        int id = Integer.parseInt(reader.storedFields().document(hit.doc).get("id"));
        double expected = score(text, passages.get(id));
        assertEquals(text, expected, hit.score, 1e-4 * Math.max(1, expected));
      }
    }
  }

  public void testProfilesMultiplyScores() throws IOException {
    index(atLeast(100), true);
    ContextualField twice =
        field
            .withProfile(Profile.of(Map.of(word(1), 6f)))
            .withProfile(Profile.of(Map.of(word(1), 0.5f, word(2), 0f)));
    Map<Integer, Float> plain = new HashMap<>();
    for (ScoreDoc hit : searcher.search(field.query(word(1)), reader.maxDoc()).scoreDocs) {
      plain.put(hit.doc, hit.score);
    }
    ScoreDoc[] hits = searcher.search(twice.query(word(1)), reader.maxDoc()).scoreDocs;
    assertEquals(plain.size(), hits.length);
    for (ScoreDoc hit : hits) {
      assertEquals(3 * plain.get(hit.doc), hit.score, 1e-5 * hit.score);
    }
    assertEquals(0, searcher.count(twice.query(word(2))));
    assertEquals(field.query(word(3)), twice.query(word(3)));
  }

  public void testSkippingFindsWhatAllScoresFind() throws IOException {
    index(atLeast(1000), true);
    for (int i = 0; i < 20; i++) {
      Query query = field.query(randomText());
      ScoreDoc[] all =
          searcher.search(query, new TopScoreDocCollectorManager(10, Integer.MAX_VALUE)).scoreDocs;
      ScoreDoc[] skipping =
          searcher.search(query, new TopScoreDocCollectorManager(10, 1)).scoreDocs;
      CheckHits.checkEqual(query, all, skipping);
    }
  }

  public void testQueriesAreQueries() throws IOException {
    index(atLeast(100), false);
    for (int i = 0; i < 5; i++) {
      Query query = field.query(randomText());
      QueryUtils.check(random(), query, searcher);
      CheckHits.checkExplanations(query, FIELD, searcher, true);
      Query filtered =
          new BooleanQuery.Builder()
              .add(query, Occur.MUST)
              .add(new TermQuery(new Term(FIELD, word(0))), Occur.FILTER)
              .build();
      CheckHits.checkExplanations(filtered, FIELD, searcher, true);
    }
    assertTrue(field.query(" ") instanceof MatchNoDocsQuery);
  }

  public void testModelIsRecordedAndChecked() throws IOException {
    index(atLeast(100), true);
    for (LeafReaderContext leaf : reader.leaves()) {
      assertEquals(
          List.of(new SoftFieldMark(field.model().id(), MEAN_LENGTH)),
          SoftFieldMark.in(leaf.reader(), field.softField()));
    }
    SoftTermFields like = SoftTermFields.like(field, reader, MAX_SOFT_TERMS);
    assertEquals(fields.toString(), like.toString());
    ContextualField other =
        ContextualField.of(model(new Random(7)), FIELD, new MockAnalyzer(random()));
    IllegalStateException refused =
        expectThrows(IllegalStateException.class, () -> searcher.search(other.query(word(1)), 10));
    assertTrue(refused.getMessage(), refused.getMessage().contains(field.model().id()));
    assertTrue(refused.getMessage(), refused.getMessage().contains(field.softField()));
  }

  public void testRefusesSeveralMeanLengths() throws IOException {
    index(1, true);
    SoftFrequencies none = new SoftFrequencies(new int[0], new float[0]);
    try (Directory mixed = newDirectory();
        IndexWriter writer = new IndexWriter(mixed, newIndexWriterConfig())) {
      writer.addDocument(new SoftTermFields(field, 10f, 1).of(word(1), none));
      try (DirectoryReader one = DirectoryReader.open(writer)) {
        field.check(one);
      }
      writer.addDocument(new SoftTermFields(field, 20f, 1).of(word(1), none));
      try (DirectoryReader two = DirectoryReader.open(writer)) {
        IllegalArgumentException refused =
            expectThrows(IllegalArgumentException.class, () -> field.check(two));
        assertTrue(refused.getMessage(), refused.getMessage().contains("10.0 and 20.0"));
      }
    }
  }

  public void testRefusesNumbersOutOfRange() throws IOException {
    index(1, true);
    expectThrows(IllegalArgumentException.class, () -> new SoftTermFields(field, 0f, 1));
    expectThrows(IllegalArgumentException.class, () -> new SoftTermFields(field, Float.NaN, 1));
    expectThrows(IllegalArgumentException.class, () -> new SoftTermFields(field, 1f, -1));
    expectThrows(
        IllegalArgumentException.class,
        () -> new ContextualTermQuery(new Term("a_soft", "w"), "a", "id", 1f, -1f, 0f));
    expectThrows(
        IllegalArgumentException.class,
        () -> new SoftFrequencies(new int[] {2, 1}, new float[] {1f, 1f}));
    expectThrows(
        IllegalArgumentException.class,
        () -> new SoftFrequencies(new int[] {1}, new float[] {Float.NaN}));
    expectThrows(
        IllegalArgumentException.class, () -> new SoftFrequencies(new int[1], new float[0]));
  }
}
