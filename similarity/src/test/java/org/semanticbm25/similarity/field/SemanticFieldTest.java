package org.semanticbm25.similarity.field;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.core.SimpleAnalyzer;
import org.apache.lucene.analysis.core.WhitespaceAnalyzer;
import org.apache.lucene.analysis.core.WhitespaceTokenizer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.miscellaneous.KeywordRepeatFilter;
import org.apache.lucene.analysis.synonym.SynonymGraphFilter;
import org.apache.lucene.analysis.synonym.SynonymMap;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.MatchNoDocsQuery;
import org.apache.lucene.search.PhraseQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.highlight.Highlighter;
import org.apache.lucene.search.highlight.InvalidTokenOffsetsException;
import org.apache.lucene.search.highlight.QueryTermScorer;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.search.uhighlight.UnifiedHighlighter;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.CharsRef;
import org.apache.lucene.util.CharsRefBuilder;
import org.apache.lucene.util.QueryBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.semanticbm25.similarity.model.Profile;
import org.semanticbm25.similarity.model.ScoringParameters;
import org.semanticbm25.similarity.model.SemanticBM25Model;
import org.semanticbm25.similarity.model.TermVectors;
import org.semanticbm25.similarity.model.WordEdit;
import org.semanticbm25.similarity.search.SoftTermQuery;

/** A model on an index that was never prepared. */
class SemanticFieldTest {
  private static final String BODY = "body";

  private final Analyzer analyzer = new EnglishAnalyzer();
  private final SemanticBM25Model model = SmallModel.make();
  private final SemanticField field = SemanticField.of(model, BODY, analyzer);
  private final Directory directory = new ByteBuffersDirectory();
  private IndexWriter writer;
  private DirectoryReader reader;

  @BeforeEach
  void index() throws IOException {
    writer = new IndexWriter(directory, new IndexWriterConfig(analyzer));
    for (String text :
        List.of(
            "the cheap notebooks", "a red car is a quick car", "banana fruit", "index of 2019")) {
      add(text);
    }
    reader = DirectoryReader.open(writer);
  }

  private void add(String text) throws IOException {
    Document document = new Document();
    document.add(new TextField(BODY, text, Field.Store.NO));
    document.add(new TextField("title", text, Field.Store.NO));
    writer.addDocument(document);
  }

  @AfterEach
  void close() throws IOException {
    reader.close();
    writer.close();
    directory.close();
  }

  private void reopen() throws IOException {
    DirectoryReader reopened = DirectoryReader.openIfChanged(reader);
    reader.close();
    reader = reopened;
  }

  private ScoreDoc[] search(SemanticField semantic, Query query) throws IOException {
    IndexSearcher searcher = new IndexSearcher(reader);
    searcher.setSimilarity(semantic.similarity());
    ScoreDoc[] hits = searcher.search(query, 10).scoreDocs;
    for (ScoreDoc hit : hits) {
      Explanation explanation = searcher.explain(query, hit.doc);
      assertEquals(hit.score, explanation.getValue().floatValue(), explanation::toString);
    }
    return hits;
  }

  private ScoreDoc[] search(SemanticField semantic, String text) throws IOException {
    return search(semantic, semantic.query(text));
  }

  private static List<String> softTerms(SemanticField semantic, String text) {
    return softTerms(semantic.query(text));
  }

  private static List<String> softTerms(Query query) {
    return SoftTermQuery.in(query).stream()
        .flatMap(q -> q.getSoftTerms().stream())
        .map(t -> t.term().text())
        .toList();
  }

  @Test
  void findsByMeaningInAnIndexThatWasNeverPrepared() throws IOException {
    assertEquals(List.of("notebook"), softTerms(field, "laptop"));
    assertEquals(0, search(field, "Laptops")[0].doc);
    assertEquals(1, search(field, "automobile").length);
    assertEquals(0, search(field, "unheard").length);
  }

  @Test
  void theFirstTermsOfALongTextGetSoftTerms() {
    String numbers =
        IntStream.range(1, SemanticQueryBuilder.MAX_EXPANDED_TERMS)
            .mapToObj(i -> i + " " + i + " ")
            .collect(Collectors.joining());
    assertEquals(List.of("notebook"), softTerms(field, numbers + "laptop"));
    assertEquals(List.of(), softTerms(field, numbers + "0 laptop"));
    assertEquals(List.of("notebook"), softTerms(field, "laptop " + numbers + "0"));
    assertEquals(List.of("notebook"), softTerms(field, "laptop"));
  }

  @Test
  void newDocumentsAndNewTermsJustWork() throws IOException {
    add("an inexpensive automobile");
    reopen();
    assertEquals(2, search(field, "cheap").length);
    assertEquals(2, search(field, "car").length);
  }

  @Test
  void wordsThatShareATermArePooledByFrequency() {
    // 70 parts laptop and 60 parts laptops, of which the vectors differ
    float expected = 70 * 1f + 60 * 1 / (float) Math.sqrt(1.04);
    float other = 60 * 0.2f / (float) Math.sqrt(1.04);
    float cosine =
        (expected + other * -0.2f)
            / (float) Math.sqrt(1.04 * (expected * expected + other * other));
    float weight =
        SoftTermQuery.in(field.query("laptop")).getFirst().getSoftTerms().getFirst().weight();
    assertEquals(SmallModel.PARAMETERS.kernel(cosine), weight, 0.01);
  }

  @Test
  void aWordOutsideTheTableGoesByItsWordpieces() {
    assertFalse(field.knows(new BytesRef("lappad")));
    assertTrue(softTerms(field, "lappad").contains("laptop"));
    assertTrue(softTerms(field, "LapPad").contains("laptop"));
    SemanticField simple = SemanticField.of(model, BODY, new SimpleAnalyzer());
    assertTrue(softTerms(simple, "r\u00e9sum\u00e9").contains("laptop"), "accents are dropped");
    assertEquals(
        List.of(), softTerms(field, "\u1230\u120b\u121d"), "nothing of what cannot be spelt");
    assertEquals(List.of(), softTerms(field, "2019"));
  }

  @Test
  void whatAWordFindsDoesNotDependOnEarlierQueries() {
    // both have the stem "lappad", which the model does not know; only one can be spelt
    List<String> alone = softTerms(SemanticField.of(model, BODY, analyzer), "lappad");
    assertEquals(List.of(), softTerms(field, "lappads"));
    assertEquals(alone, softTerms(field, "lappad"));
    assertFalse(alone.isEmpty());
  }

  @Test
  void wordsCountByTheirWeights() throws IOException {
    SemanticBM25Model weighted = SmallModel.make(new float[] {0, 0.5f, 0, 0});
    SemanticField heavy = SemanticField.of(weighted, BODY, analyzer);
    float factor = weighted.projection().weight(new float[] {0, 1, 0, 0});
    assertEquals(factor * search(field, "car")[0].score, search(heavy, "car")[0].score, 1e-4);
    assertEquals(factor * fullScore(field, "car"), fullScore(heavy, "car"), 1e-4);
    assertTrue(search(heavy, "car")[0].score < fullScore(heavy, "car"));
    assertEquals(0, fullScore(heavy, "unheard"));
    ScoringParameters half = new ScoringParameters(1.2f, 0.75f, 0.7f, 1f, 0.8f, 8, 0f, 0.5f);
    assertEquals(
        Math.sqrt(factor) * search(field, "car")[0].score,
        search(heavy.withParameters(half), "car")[0].score,
        1e-4);
  }

  private double fullScore(SemanticField semantic, String text) throws IOException {
    IndexSearcher searcher = new IndexSearcher(reader);
    searcher.setSimilarity(semantic.similarity());
    return semantic.fullScore(searcher, text);
  }

  private static SemanticField edited(SemanticField semantic, String word, float weight) {
    return semantic.withEdits(List.of(new WordEdit(word, weight, "test", "now")));
  }

  private static float softWeight(SemanticField semantic) {
    return SoftTermQuery.in(semantic.query("laptop")).getFirst().getSoftTerms().getFirst().weight();
  }

  @Test
  void editsRaiseLowerAndBlockWords() throws IOException {
    float plain = search(field, "notebook")[0].score;
    assertEquals(2 * plain, search(edited(field, "notebooks", 2f), "notebook")[0].score, 1e-5);
    assertEquals(0, search(edited(field, "notebook", 0f), "notebook").length);
    // as a soft term: lowered, raised to no more than the query term itself, blocked
    assertEquals(0.5f * softWeight(field), softWeight(edited(field, "notebook", 0.5f)), 1e-6);
    assertEquals(1f, softWeight(edited(field, "notebook", 9f)));
    assertEquals(List.of(), softTerms(edited(field, "notebook", 0f), "laptop"));
    SemanticField undone = edited(edited(field, "notebook", 0f), "notebook", 1f);
    assertEquals(plain, search(undone, "notebook")[0].score, "the last edit counts");
  }

  private static Profile profile(String word, float factor) {
    return Profile.of(Map.of(word, factor));
  }

  @Test
  void profilesMultiplyWithEditsAndEachOther() throws IOException {
    float plain = search(field, "notebook")[0].score;
    SemanticField one = field.withProfile(profile("notebook", 1f));
    assertEquals(plain, search(one, "notebook")[0].score, "a factor of 1 changes nothing");
    assertEquals(field.query("cheap laptop"), one.query("cheap laptop"));
    SemanticField both = field.withProfile(profile("notebooks", 3f));
    assertEquals(3 * plain, search(both, "notebook")[0].score, 1e-5);
    both = both.withProfile(profile("notebook", 0.5f));
    assertEquals(1.5 * plain, search(both, "notebook")[0].score, 1e-5);
    Profile stacked = Profile.parse("test", "# ours\nnotebooks=3\n\nnotebook = 0.5\n");
    assertEquals(both.query("cheap notebook"), field.withProfile(stacked).query("cheap notebook"));
    SemanticField edited = edited(both, "notebook", 4f);
    assertEquals(6 * plain, search(edited, "notebook")[0].score, 1e-5);
    assertEquals(
        0.5f * softWeight(field), softWeight(field.withProfile(profile("notebook", 0.5f))));
    SemanticField blocked = field.withProfile(profile("notebook", 0f));
    assertEquals(0, search(blocked, "notebook").length);
    assertEquals(0, search(blocked.withProfile(profile("notebook", 9f)), "notebook").length);
    assertEquals(field.query("banana"), blocked.query("banana"), "other words stay");
  }

  @Test
  void refusesWrongProfiles() {
    for (String line : List.of("laptop", "=2", "laptop=", "laptop=-1", "laptop=NaN", "a=b=c")) {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class, () -> Profile.parse("mine.txt", "car=2\n" + line));
      assertTrue(
          e.getMessage().startsWith("mine.txt, line 2: must be word=factor"), e.getMessage());
    }
    assertThrows(IllegalArgumentException.class, () -> profile("car", Float.POSITIVE_INFINITY));
    assertThrows(IllegalArgumentException.class, () -> profile(" ", 1f));
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> field.withProfile(profile("red car", 2f)));
    assertTrue(e.getMessage().contains("several words"), e.getMessage());
  }

  @Test
  void isBM25WithoutSoftTermsAndBlend() throws IOException {
    ScoringParameters off = new ScoringParameters(0.9f, 0.4f, 0.5f, 1f, 0f, 8, 0f, 1f);
    IndexSearcher bm25 = new IndexSearcher(reader);
    bm25.setSimilarity(new BM25Similarity(0.9f, 0.4f));
    for (String text : List.of("the quick car", "cheap cheap notebook", "banana nothing")) {
      ScoreDoc[] expected =
          bm25.search(new QueryBuilder(analyzer).createBooleanQuery(BODY, text), 10).scoreDocs;
      ScoreDoc[] actual = search(field.withParameters(off), text);
      assertEquals(expected.length, actual.length);
      for (int i = 0; i < expected.length; i++) {
        assertEquals(expected[i].doc, actual[i].doc);
        assertEquals(expected[i].score, actual[i].score);
      }
    }
  }

  @Test
  void aWrongSimilarityIsNoticed() {
    IndexSearcher searcher = new IndexSearcher(reader);
    for (String text : List.of("laptop", "banana", "cheap banana")) {
      assertThrows(IllegalStateException.class, () -> searcher.search(field.query(text), 10), text);
    }
  }

  @Test
  void severalFieldsKeepTheirOwnParametersAndBlend() throws IOException {
    ScoringParameters blended = new ScoringParameters(2f, 0.1f, 0.7f, 1f, 0.8f, 8, 1f, 1f);
    SemanticField title = SemanticField.of(model, "title", analyzer).withParameters(blended);
    IndexSearcher searcher = new IndexSearcher(reader);
    searcher.setSimilarity(SemanticField.similarity(new BM25Similarity(), field, title));
    Query both =
        new BooleanQuery.Builder()
            .add(field.query("car"), Occur.SHOULD)
            .add(title.query("car"), Occur.SHOULD)
            .build();
    float sum = searcher.search(both, 1).scoreDocs[0].score;
    assertEquals(search(field, "car")[0].score + search(title, "car")[0].score, sum, 1e-5);
    assertNotEquals(search(field, "car")[0].score, search(title, "car")[0].score);
    assertThrows(
        IllegalArgumentException.class,
        () -> SemanticField.similarity(new BM25Similarity(), field, field));
  }

  @Test
  void theModelsIdfIsOnTheScaleOfTheCollection() throws IOException {
    ScoringParameters all = new ScoringParameters(0f, 0f, 0.7f, 1f, 0f, 0, 1f, 1f);
    SemanticField blended = field.withParameters(all);
    fillTo(400);
    // with k1 = 0 a score is the IDF; "cheap" is rarer to the model than "car"
    assertTrue(search(blended, "car")[0].score < search(blended, "cheap")[0].score);
    float small = search(blended, "banana")[0].score;
    fillTo(1600);
    assertEquals(Math.log(4), search(blended, "banana")[0].score - small, 0.01);
  }

  private void fillTo(int documents) throws IOException {
    for (int i = reader.numDocs(); i < documents; i++) {
      add("filler");
    }
    reader.close();
    reader = DirectoryReader.open(writer);
  }

  @Test
  void buildsWhatLucenesQueryBuilderBuilds() throws IOException {
    Query conjunction = field.queryBuilder().createBooleanQuery(BODY, "cheap laptop", Occur.MUST);
    assertEquals(0, search(field, conjunction)[0].doc);
    assertEquals(
        0,
        search(field, field.queryBuilder().createBooleanQuery(BODY, "red laptop", Occur.MUST))
            .length);
    Query most = field.queryBuilder().createMinShouldMatchQuery(BODY, "cheap laptop banana", 0.7f);
    assertEquals(1, search(field, most).length);
    assertTrue(field.queryBuilder().createPhraseQuery(BODY, "quick car") instanceof PhraseQuery);
    Query other = field.queryBuilder().createBooleanQuery("title", "laptop");
    assertEquals(new TermQuery(new Term("title", "laptop")), other, "no softness in another field");
    assertTrue(field.query("  ") instanceof MatchNoDocsQuery);
  }

  @Test
  void synonymPositionsKeepTheirSoftness() throws IOException {
    SynonymMap.Builder synonyms = new SynonymMap.Builder();
    synonyms.add(new CharsRef("vehicle"), new CharsRef("automobile"), true);
    SynonymMap map = synonyms.build();
    Analyzer expanding =
        new Analyzer() {
          @Override
          protected TokenStreamComponents createComponents(String name) {
            WhitespaceTokenizer source = new WhitespaceTokenizer();
            return new TokenStreamComponents(source, new SynonymGraphFilter(source, map, true));
          }
        };
    SemanticField expanded = SemanticField.of(model, BODY, expanding);
    SoftTermQuery query = SoftTermQuery.in(expanded.query("vehicle")).getFirst();
    assertEquals(List.of("car"), softTerms(query));
    assertEquals(1, search(expanded, "vehicle").length);
    assertEquals(0, search(edited(expanded, "car", 0f), "vehicle").length);
    assertTrue(fullScore(expanded, "vehicle") >= search(expanded, "vehicle")[0].score);
  }

  /** Analyses with synonyms, which are added to the words or put in their place. */
  private static Analyzer withSynonym(String word, String synonym, boolean keep)
      throws IOException {
    SynonymMap.Builder synonyms = new SynonymMap.Builder();
    synonyms.add(new CharsRef(word), new CharsRef(synonym), keep);
    SynonymMap map = synonyms.build();
    return new Analyzer() {
      @Override
      protected TokenStreamComponents createComponents(String name) {
        WhitespaceTokenizer source = new WhitespaceTokenizer();
        return new TokenStreamComponents(source, new SynonymGraphFilter(source, map, true));
      }
    };
  }

  @Test
  void editsHoldAtSynonymPositions() throws IOException {
    SemanticField plain = SemanticField.of(model, BODY, withSynonym("car", "auto", true));
    float score = search(plain, "car")[0].score;
    assertEquals(0.1f * score, search(edited(plain, "car", 0.1f), "car")[0].score, 1e-5);
    assertEquals(5f * score, search(edited(plain, "car", 5f), "car")[0].score, 1e-4);
  }

  @Test
  void editsHoldForAWordWithASynonymOfSeveralWords() throws IOException {
    String words =
        SynonymMap.Builder.join(new String[] {"motor", "vehicle"}, new CharsRefBuilder())
            .toString();
    SemanticField plain = SemanticField.of(model, BODY, withSynonym("car", words, true));
    float score = search(plain, "car")[0].score;
    assertEquals(0.5f * score, search(edited(plain, "car", 0.5f), "car")[0].score, 1e-5);
    SemanticField replaced = SemanticField.of(model, BODY, withSynonym("car", words, false));
    assertThrows(IllegalArgumentException.class, () -> edited(replaced, "car", 0.5f));
  }

  @Test
  void aSynonymIsNotTakenForTheWordThatItStandsFor() throws IOException {
    SemanticField replaced = SemanticField.of(model, BODY, withSynonym("lappad", "qqq", false));
    assertEquals(List.of(), softTerms(replaced, "lappad"));
  }

  @Test
  void equalTermsAtOnePositionCountOnce() throws IOException {
    Analyzer repeating =
        new Analyzer() {
          @Override
          protected TokenStreamComponents createComponents(String name) {
            WhitespaceTokenizer source = new WhitespaceTokenizer();
            return new TokenStreamComponents(source, new KeywordRepeatFilter(source));
          }
        };
    SemanticField repeated = SemanticField.of(model, BODY, repeating);
    float once = search(SemanticField.of(model, BODY, new WhitespaceAnalyzer()), "car")[0].score;
    assertEquals(once, search(repeated, "car")[0].score);
  }

  @Test
  void matchesAreHighlightedAndCountedUnderAnySimilarity() throws IOException {
    UnifiedHighlighter highlighter = UnifiedHighlighter.builderWithoutSearcher(analyzer).build();
    for (String text : List.of("laptop", "laptop banana", "banana")) {
      Query query = field.query(text);
      Object snippet =
          highlighter.highlightWithoutSearcher(BODY, query, "cheap notebooks, bananas", 1);
      assertEquals(text.contains("laptop"), snippet.toString().contains("<b>notebooks</b>"), text);
      assertEquals(text.contains("banana"), snippet.toString().contains("<b>bananas</b>"), text);
      assertTrue(new IndexSearcher(reader).count(query) > 0);
    }
  }

  @Test
  void classicHighlighterMarksTheTermsOfAQuery() throws IOException, InvalidTokenOffsetsException {
    Highlighter highlighter = new Highlighter(new QueryTermScorer(field.query("laptop banana")));
    assertEquals(
        "cheap <B>notebooks</B>, <B>bananas</B>",
        highlighter.getBestFragment(analyzer, BODY, "cheap notebooks, bananas"));
  }

  @Test
  void similaritiesOfFieldsCanBeNestedAndMadeAgain() throws IOException {
    ScoringParameters blended = new ScoringParameters(2f, 0.1f, 0.7f, 1f, 0.8f, 8, 0.5f, 1f);
    SemanticField title = SemanticField.of(model, "title", analyzer).withParameters(blended);
    SemanticField again = SemanticField.of(model, "title", analyzer).withParameters(blended);
    IndexSearcher searcher = new IndexSearcher(reader);
    searcher.setSimilarity(SemanticField.similarity(field.similarity(), title));
    assertEquals(
        search(field, "car")[0].score, searcher.search(field.query("car"), 1).scoreDocs[0].score);
    assertEquals(
        search(title, "car")[0].score, searcher.search(again.query("car"), 1).scoreDocs[0].score);
  }

  private AttachedTerms attached(SemanticBM25Model other, String name, String analysis) {
    AttachedTerms.Builder terms = new AttachedTerms.Builder(4);
    terms.add(new BytesRef("car"), new float[] {1, 0, 0, 0}, 9f, 0.5f);
    terms.add(new BytesRef("fruit"), new float[] {0, 0, 1, 0.1f}, 2f, 0.7f);
    return terms.build(new AttachedTerms.Origin("test", 20, name, analysis, other.id()));
  }

  @Test
  void attachedTermsAddWordsAndReplaceNone() throws IOException {
    SemanticField more = field.withAttached(attached(model, BODY, field.analysis()));
    assertEquals(List.of("banana"), softTerms(more, "fruit"));
    assertEquals(List.of("fruit"), softTerms(more, "bananas"));
    assertEquals(search(field, "car")[0].score, search(more, "car")[0].score);
    assertEquals(new SemanticField.Coverage(9, 4, 0), field.coverage(reader));
    assertEquals(new SemanticField.Coverage(9, 5, 0), more.coverage(reader));
  }

  @Test
  void findsNearTermsAmongVeryMany() {
    Random random = new Random(1);
    AttachedTerms.Builder terms = new AttachedTerms.Builder(4);
    for (int i = 100_000; i < 300_000; i++) {
      float[] vector = new float[4];
      for (int d = 0; d < 4; d++) {
        vector[d] = (float) random.nextGaussian();
      }
      terms.add(new BytesRef("x" + i), vector, 1f, 0.5f);
    }
    AttachedTerms many =
        terms.build(new AttachedTerms.Origin("test", 200_000, BODY, field.analysis(), model.id()));
    List<String> found = softTerms(field.withAttached(many), "bananas");
    assertEquals(model.parameters().maxSoftTerms(), found.size());
    TermVectors banana = TermVectors.quantize(4, new float[][] {{0, 0, 1, 0}});
    List<String> nearest =
        IntStream.range(0, many.size())
            .boxed()
            .sorted(Comparator.comparingDouble(i -> -banana.cosine(0, many.vectors(), i)))
            .limit(found.size())
            .map(i -> many.term(i).utf8ToString())
            .toList();
    assertEquals(nearest, found);
  }

  @Test
  void attachedTermsServeAReopenedIndex() throws IOException {
    SemanticField more = field.withAttached(attached(model, BODY, field.analysis()));
    assertEquals(1, search(more, "bananas").length);
    add("fruit and vegetables");
    reopen();
    assertEquals(2, search(more, "bananas").length);
    assertEquals(List.of("fruit"), softTerms(more, "bananas"));
    assertEquals(new SemanticField.Coverage(10, 5, 0), more.coverage(reader));
  }

  @Test
  void termsOfAnotherModelFieldOrAnalyzerAreRefused() {
    SemanticBM25Model other = SmallModel.make(new float[] {1, 0, 0, 0});
    for (AttachedTerms foreign :
        Arrays.asList(
            attached(other, BODY, field.analysis()),
            attached(model, "title", field.analysis()),
            attached(
                model, BODY, SemanticField.of(model, BODY, new SimpleAnalyzer()).analysis()))) {
      assertThrows(IllegalArgumentException.class, () -> field.withAttached(foreign));
    }
  }

  @Test
  void attachedTermsAreReadBack() throws IOException {
    AttachedTerms written = attached(model, BODY, field.analysis());
    written.write(directory, "terms");
    AttachedTerms read = AttachedTerms.read(directory, "terms");
    assertEquals(written.origin(), read.origin());
    assertEquals(2, read.size());
    for (int i = 0; i < 2; i++) {
      assertEquals(written.term(i), read.term(i));
      assertEquals(written.weight(i), read.weight(i));
      assertEquals(written.idf(i), read.idf(i));
      assertEquals(1f, written.vectors().cosine(i, read.vectors(), i), 1e-6);
    }
  }
}
