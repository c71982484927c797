package org.semanticbm25.lucene;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenFilter;
import org.apache.lucene.analysis.core.SimpleAnalyzer;
import org.apache.lucene.analysis.core.WhitespaceTokenizer;
import org.apache.lucene.analysis.miscellaneous.KeywordRepeatFilter;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.MatchNoDocsQuery;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.QueryBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.onnx.Extractor;
import org.semanticbm25.onnx.KernelFit.Kernel;
import org.semanticbm25.onnx.NeuralModel;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.TermEncoder;
import org.semanticbm25.onnx.TinyModel;
import org.semanticbm25.similarity.ScoringParameters;
import org.semanticbm25.similarity.SemanticBM25Model;
import org.semanticbm25.similarity.SemanticBM25Model.Edit;
import org.semanticbm25.similarity.TermProjection;
import org.semanticbm25.similarity.SoftTermQuery;

/** From an index that exists to its semantic hits, with a tiny model. */
class SemanticBM25Test {
  private static final String FIELD = "body";
  private static final String SIDE = "index.side";
  // the tiny model's rows share a strong direction, so unrelated words are near 0.6
  private static final ScoringParameters PARAMETERS =
      new ScoringParameters(1.2f, 0.75f, 0.9f, 1f, 0.8f, 8, 0.5f, 1f);

  @TempDir Path folder;
  private Directory indexFolder;
  private Directory sideFolder;
  private DirectoryReader reader;
  private final Analyzer analyzer = new StemmingAnalyzer();
  private NeuralModel neural;
  private SemanticBM25Model model;

  /** Makes "notebok" of "notebook", as a stemmer would, so that index terms are not words. */
  private static final class StemmingAnalyzer extends Analyzer {
    @Override
    protected TokenStreamComponents createComponents(String field) {
      WhitespaceTokenizer source = new WhitespaceTokenizer();
      return new TokenStreamComponents(
          source,
          new TokenFilter(source) {
            private final CharTermAttribute term =
                addAttribute(
                    CharTermAttribute.class);

            @Override
            public boolean incrementToken() throws IOException {
              if (!input.incrementToken()) {
                return false;
              }
              String stem = term.toString().replace("oo", "o");
              term.setEmpty().append(stem);
              return true;
            }
          });
    }
  }

  @BeforeEach
  void index() throws IOException {
    indexFolder = FSDirectory.open(folder.resolve("index"));
    sideFolder = FSDirectory.open(folder.resolve("side"));
    try (IndexWriter writer = new IndexWriter(indexFolder, new IndexWriterConfig(analyzer))) {
      for (String text :
          List.of(
              "the cheap notebook",
              "a red car is a quick car",
              "banana fruit",
              "index of 2019",
              "the quick index")) {
        Document document = new Document();
        document.add(new TextField(FIELD, text, Field.Store.YES));
        writer.addDocument(document);
      }
    }
    reader = DirectoryReader.open(indexFolder);
    neural = TinyModel.write(folder.resolve("model"), TinyModel.Weights.FLOAT);
    model = Extractor.extract(neural, SemanticBM25Model.LAST_LAYER, PARAMETERS, Optional.empty(), Progress.SILENT);
  }

  @AfterEach
  void close() throws IOException {
    reader.close();
    indexFolder.close();
    sideFolder.close();
  }

  private AttachedField attach() throws IOException {
    try (TermEncoder encoder = new TermEncoder(neural, SemanticBM25Model.LAST_LAYER)) {
      return new Attacher(model, encoder, Progress.SILENT).attach(reader, FIELD, analyzer);
    }
  }

  private TopDocs search(SemanticBM25 semantic, String text) throws IOException {
    IndexSearcher searcher = new IndexSearcher(reader);
    searcher.setSimilarity(semantic.similarity());
    return searcher.search(semantic.query(text), 10);
  }

  private static List<String> softTerms(SemanticBM25 semantic, String text) {
    return SoftTermQuery.in(semantic.query(text)).stream()
        .flatMap(q -> q.getSoftTerms().stream())
        .map(t -> t.term().text())
        .toList();
  }

  @Test
  void findsByMeaningInAnIndexOfStems() throws IOException {
    SemanticBM25 semantic = new SemanticBM25(model, attach(), analyzer);
    // the index holds "notebok"; the vector is that of the stored "notebook"
    assertEquals(List.of("notebok"), softTerms(semantic, "laptop"));
    assertArrayEquals(
        new int[] {0}, Arrays.stream(search(semantic, "laptop").scoreDocs).mapToInt(d -> d.doc).toArray());
    assertEquals(1, search(semantic, "automobile").totalHits.value());
    assertEquals(0, search(semantic, "unheard").totalHits.value());
  }

  @Test
  void wordsCountByTheirWeights() throws IOException {
    ScoringParameters off = new ScoringParameters(0.9f, 0.4f, 0.5f, 1f, 0f, 8, 0f, 1f);
    SemanticBM25 plain = new SemanticBM25(model, attach(), analyzer).withParameters(off);
    float[] direction = new float[TinyModel.HIDDEN];
    direction[0] = 3f;
    TermProjection projection =
        new TermProjection(
            new float[TinyModel.HIDDEN],
            TermProjection.identity(TinyModel.HIDDEN).matrix(),
            direction);
    model =
        Extractor.extract(
            neural,
            SemanticBM25Model.LAST_LAYER,
            new Kernel(off, projection),
            Map.of(),
            Optional.empty(),
            Progress.SILENT);
    SemanticBM25 weighted = new SemanticBM25(model, attach(), analyzer);
    float[][] embeddings = TinyModel.embeddings();
    double full = 0;
    for (String word : List.of("notebook", "car", "2019")) {
      float weight =
          word.equals("2019")
              ? 1f
              : projection.weight(embeddings[TinyModel.VOCABULARY.indexOf(word)]);
      ScoreDoc before = search(plain, word).scoreDocs[0];
      ScoreDoc after = search(weighted, word).scoreDocs[0];
      assertEquals(weight * before.score, after.score, 1e-4 * after.score, word);
      assertExplained(weighted, word, after);
      full += weight * fullScore(plain, word);
      assertTrue(after.score < fullScore(weighted, word), word);
    }
    assertEquals(full, fullScore(weighted, "notebook car 2019"), 1e-4);
    assertEquals(0, fullScore(weighted, "unheard"));
    // a word that the index has never seen counts by its wordpieces
    float unseen = projection.weight(embeddings[TinyModel.VOCABULARY.indexOf("automobile")]);
    assertTrue(
        weighted.query("automobile").toString().contains("^" + unseen),
        weighted.query("automobile") + " " + unseen);
  }

  private double fullScore(SemanticBM25 semantic, String text) throws IOException {
    IndexSearcher searcher = new IndexSearcher(reader);
    searcher.setSimilarity(semantic.similarity());
    return semantic.fullScore(searcher, text);
  }

  @Test
  void fullScoreBoundsWhatSoftTermsAloneScore() throws IOException {
    SemanticBM25 semantic = new SemanticBM25(model, attach(), analyzer);
    float score = search(semantic, "automobile").scoreDocs[0].score;
    assertTrue(score > 0 && score < fullScore(semantic, "automobile"));
    SemanticBM25 edited = edited(semantic, "car", 3f);
    assertEquals(3 * fullScore(semantic, "car"), fullScore(edited, "car"), 1e-5);
  }

  @Test
  void refusesAnEncoderOfAnotherLayer() throws IOException {
    SemanticBM25Model other =
        new SemanticBM25Model(
            model.provenance(),
            PARAMETERS,
            List.of("car"),
            new float[1],
            2,
            new float[1][TinyModel.HIDDEN],
            TermProjection.identity(TinyModel.HIDDEN));
    try (TermEncoder encoder = new TermEncoder(neural, SemanticBM25Model.LAST_LAYER)) {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> new Attacher(other, encoder, Progress.SILENT));
      assertTrue(e.getMessage().contains("illegal layer of the encoder: 0"), e.getMessage());
    }
  }

  private void assertExplained(SemanticBM25 semantic, String text, ScoreDoc hit)
      throws IOException {
    IndexSearcher searcher = new IndexSearcher(reader);
    searcher.setSimilarity(semantic.similarity());
    Explanation explanation = searcher.explain(semantic.query(text), hit.doc);
    assertEquals(hit.score, explanation.getValue().floatValue(), explanation::toString);
  }

  @Test
  void editsRaiseLowerAndBlockWords() throws IOException {
    SemanticBM25 semantic = new SemanticBM25(model, attach(), analyzer);
    float plain = search(semantic, "notebook").scoreDocs[0].score;
    assertEquals(2 * plain, search(edited(semantic, "notebook", 2f), "notebook").scoreDocs[0].score, 1e-5);
    assertEquals(0, search(edited(semantic, "notebook", 0f), "notebook").scoreDocs.length);
    // as a soft term: lowered, raised to no more than the query term itself, blocked
    float soft = softWeight(semantic);
    assertEquals(0.5f * soft, softWeight(edited(semantic, "notebook", 0.5f)), 1e-6);
    assertEquals(1f, softWeight(edited(semantic, "notebook", 9f)));
    assertEquals(List.of(), softTerms(edited(semantic, "notebook", 0f), "laptop"));
    SemanticBM25 undone = edited(edited(semantic, "notebook", 0f), "notebook", 1f);
    assertEquals(plain, search(undone, "notebook").scoreDocs[0].score, "the last edit counts");
  }

  @Test
  void editedSoftTermsCompeteForTheirPlaces() throws IOException {
    ScoringParameters one = new ScoringParameters(1.2f, 0.75f, 0f, 1f, 0.8f, 1, 0f, 1f);
    SemanticBM25 semantic = new SemanticBM25(model, attach(), analyzer).withParameters(one);
    String first = softTerms(semantic, "laptop").getFirst();
    SemanticBM25 lowered = edited(semantic, "notebook", 0.01f);
    assertEquals("notebok", first);
    assertEquals(1, softTerms(lowered, "laptop").size());
    assertFalse(softTerms(lowered, "laptop").contains(first), "a lowered term gives up its place");
  }

  @Test
  void blocksTermsThatTheAnalyzerPutsAtOnePosition() throws IOException {
    Analyzer stacking =
        new Analyzer() {
          @Override
          protected TokenStreamComponents createComponents(String field) {
            WhitespaceTokenizer source = new WhitespaceTokenizer();
            return new TokenStreamComponents(source, new KeywordRepeatFilter(source));
          }
        };
    AttachedField attached = attach();
    SemanticBM25 semantic = new SemanticBM25(model, attached, stacking);
    assertTrue(semantic.query("car").toString().contains("car"), "a synonym query");
    assertEquals(0, search(edited(semantic, "car", 0f), "car").totalHits.value());
    assertTrue(
        search(edited(semantic, "car", 0.5f), "car").scoreDocs[0].score
            < search(semantic, "car").scoreDocs[0].score);
  }

  private static SemanticBM25 edited(SemanticBM25 semantic, String word, float weight) {
    return semantic.withEdits(List.of(new Edit(word, weight, "test", "now")));
  }

  private static float softWeight(SemanticBM25 semantic) {
    return SoftTermQuery.in(semantic.query("laptop")).getFirst().getSoftTerms().getFirst().weight();
  }

  @Test
  void termsWithDigitsHaveNoNeighbours() throws IOException {
    SemanticBM25 semantic = new SemanticBM25(model, attach(), analyzer);
    assertEquals(List.of(), softTerms(semantic, "2019"));
    assertEquals(List.of(), softTerms(semantic, "2020"), "nor unseen ones");
  }

  @Test
  void isBM25WithoutSoftTermsAndBlend() throws IOException {
    ScoringParameters off = new ScoringParameters(0.9f, 0.4f, 0.5f, 1f, 0f, 8, 0f, 1f);
    SemanticBM25 semantic = new SemanticBM25(model, attach(), analyzer).withParameters(off);
    IndexSearcher bm25 = new IndexSearcher(reader);
    bm25.setSimilarity(new BM25Similarity(0.9f, 0.4f));
    for (String text : List.of("the quick car", "cheap cheap notebook", "banana nothing")) {
      ScoreDoc[] expected =
          bm25.search(new QueryBuilder(analyzer).createBooleanQuery(FIELD, text), 10).scoreDocs;
      ScoreDoc[] actual = search(semantic, text).scoreDocs;
      assertEquals(expected.length, actual.length);
      for (int i = 0; i < expected.length; i++) {
        assertEquals(expected[i].doc, actual[i].doc);
        assertEquals(expected[i].score, actual[i].score);
      }
    }
  }

  @Test
  void idfIsScaledToTheCollection() throws IOException {
    AttachedField attached = attach();
    double sum = 0;
    double expected = 0;
    int known = 0;
    for (int i = 0; i < attached.size(); i++) {
      if (!Float.isNaN(attached.idf(i)) && attached.idf(i) > 0) {
        int df = reader.docFreq(new Term(FIELD, attached.term(i)));
        expected += Math.log(1 + (5 - df + 0.5) / (df + 0.5));
        sum += attached.idf(i);
        known++;
      }
    }
    assertTrue(known >= 8, known + " terms");
    assertEquals(expected / known, sum / known, 0.2);
    // "the" is the model's most frequent word, "quick" one of the rarest
    assertTrue(
        attached.idf(attached.ordinal(new BytesRef("the")))
            < attached.idf(attached.ordinal(new BytesRef("quick"))));
  }

  @Test
  void attachingChangesNothingInTheIndex() throws IOException {
    List<String> before = digest();
    attach().write(sideFolder, SIDE);
    assertEquals(before, digest());
  }

  private List<String> digest() throws IOException {
    try (var files = Files.list(folder.resolve("index"))) {
      return files
          .sorted()
          .map(
              file -> {
                try {
                  return file + " " + Arrays.hashCode(Files.readAllBytes(file));
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              })
          .toList();
    }
  }

  @Test
  void readsBackWhatItWrote() throws IOException {
    AttachedField written = attach();
    written.write(sideFolder, SIDE);
    AttachedField read = AttachedField.read(sideFolder, SIDE);
    assertEquals(written.size(), read.size());
    assertEquals(written.modelId(), read.modelId());
    assertEquals(FIELD, read.field());
    assertEquals(written.idfScale(), read.idfScale());
    for (int i = 0; i < read.size(); i++) {
      assertEquals(written.term(i), read.term(i));
      assertEquals(written.idf(i), read.idf(i));
      assertEquals(written.neighbours(i), read.neighbours(i));
      assertEquals(i, read.ordinal(read.term(i)));
    }
    assertEquals(-1, read.ordinal(new BytesRef("zzz")));
    for (int piece = 0; piece < model.size(); piece++) {
      assertEquals(written.pieceTerm(piece), read.pieceTerm(piece));
    }
    assertTrue(softTerms(new SemanticBM25(model, read, analyzer), "laptop").contains("notebok"));
  }

  @Test
  void damagedSideFilesAreRefused() throws IOException {
    attach().write(sideFolder, SIDE);
    Path file = folder.resolve("side").resolve(SIDE);
    byte[] good = Files.readAllBytes(file);
    for (int i = 0; i < good.length; i += 7) {
      byte[] flipped = good.clone();
      flipped[i] ^= 1;
      Files.write(file, flipped);
      assertRefused(file);
      Files.write(file, Arrays.copyOf(good, i));
      assertRefused(file);
    }
    Files.delete(file);
    assertRefused(file);
    model.write(sideFolder, SIDE);
    assertRefused(file);
  }

  private void assertRefused(Path file) {
    IOException e = assertThrows(IOException.class, () -> AttachedField.read(sideFolder, SIDE));
    assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
    assertTrue(e.getMessage().contains("sbm25 attach"), e.getMessage());
  }

  @Test
  void aSideFileOfAnotherModelIsRefused() throws IOException {
    NeuralModel other = TinyModel.write(folder.resolve("int8"), TinyModel.Weights.UINT8_AFTER);
    SemanticBM25Model second =
        Extractor.extract(other, SemanticBM25Model.LAST_LAYER, PARAMETERS, Optional.empty(), Progress.SILENT);
    AttachedField attached = attach();
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> new SemanticBM25(second, attached, analyzer));
    assertTrue(e.getMessage().contains(second.id()), e.getMessage());
    assertTrue(e.getMessage().contains(model.id()), e.getMessage());
  }

  @Test
  void aMissingFieldAndAnEmptyQueryAreToldPlainly() throws IOException {
    try (TermEncoder encoder = new TermEncoder(neural, SemanticBM25Model.LAST_LAYER)) {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> new Attacher(model, encoder, Progress.SILENT).attach(reader, "title", analyzer));
      assertTrue(e.getMessage().contains("'title'"), e.getMessage());
    }
    assertTrue(
        new SemanticBM25(model, attach(), analyzer).query("  ") instanceof MatchNoDocsQuery);
  }

  @Test
  void worksWithoutStoredTextAndWithAnyAnalyzer() throws IOException {
    Analyzer simple = new SimpleAnalyzer();
    try (Directory other = FSDirectory.open(folder.resolve("other"))) {
      try (IndexWriter writer = new IndexWriter(other, new IndexWriterConfig(simple))) {
        Document document = new Document();
        document.add(new TextField(FIELD, "notebook banana", Field.Store.NO));
        writer.addDocument(document);
      }
      try (DirectoryReader otherReader = DirectoryReader.open(other);
          TermEncoder encoder = new TermEncoder(neural, SemanticBM25Model.LAST_LAYER)) {
        AttachedField attached =
            new Attacher(model, encoder, Progress.SILENT).attach(otherReader, FIELD, simple);
        SemanticBM25 semantic = new SemanticBM25(model, attached, simple);
        assertTrue(softTerms(semantic, "Laptop").contains("notebook"));
        assertFalse(softTerms(semantic, "Laptop").contains("banana"));
      }
    }
  }
}
