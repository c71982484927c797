package org.semanticbm25.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.core.WhitespaceAnalyzer;
import org.apache.lucene.analysis.standard.StandardAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.util.BytesRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.distill.Extractor;
import org.semanticbm25.onnx.distill.WordCounts;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.runtime.TermEncoder;
import org.semanticbm25.onnx.testing.TinyBert;
import org.semanticbm25.onnx.testing.TinyModel;
import org.semanticbm25.similarity.field.AttachedTerms;
import org.semanticbm25.similarity.field.SemanticField;
import org.semanticbm25.similarity.field.SemanticField.Coverage;
import org.semanticbm25.similarity.model.ScoringParameters;
import org.semanticbm25.similarity.model.SemanticBM25Model;
import org.semanticbm25.similarity.model.TermProjection;
import org.semanticbm25.similarity.model.WordTable;
import org.semanticbm25.similarity.search.SoftTermQuery;

/** The rare words of an index, with a tiny neural model. */
class AttacherTest {
  private static final String FIELD = "body";
  private static final String FILE = "index.attached";
  // the tiny model's rows share a strong direction, so unrelated words are near 0.6
  private static final ScoringParameters PARAMETERS =
      new ScoringParameters(1.2f, 0.75f, 0.9f, 1f, 0.8f, 8, 0.5f, 1f);

  @TempDir Path folder;
  private Directory indexFolder;
  private Directory files;
  private DirectoryReader reader;
  private final Analyzer analyzer = new StandardAnalyzer();
  private NeuralModel neural;
  private SemanticBM25Model model;

  @BeforeEach
  void index() throws IOException {
    indexFolder = FSDirectory.open(folder.resolve("index"));
    files = FSDirectory.open(folder.resolve("files"));
    try (IndexWriter writer = new IndexWriter(indexFolder, new IndexWriterConfig(analyzer))) {
      for (String text :
          List.of("the cheap notebook", "red car quick car", "banana fruit", "caring index 2019")) {
        Document document = new Document();
        document.add(new TextField(FIELD, text, Field.Store.YES));
        writer.addDocument(document);
      }
    }
    reader = DirectoryReader.open(indexFolder);
    neural = TinyModel.write(folder.resolve("model"), TinyModel.Weights.FLOAT);
    model = withoutWords(extract(neural));
  }

  private static SemanticBM25Model extract(NeuralModel source) throws IOException {
    return Extractor.extract(
        source,
        SemanticBM25Model.LAST_LAYER,
        PARAMETERS,
        new WordCounts(),
        Optional.empty(),
        Progress.SILENT);
  }

  /** A model that knows no whole word, so that all words of an index are rare. */
  private static SemanticBM25Model withoutWords(SemanticBM25Model extracted) {
    List<String> pieces = TinyModel.VOCABULARY.subList(6, TinyModel.VOCABULARY.size());
    return new SemanticBM25Model(
        extracted.provenance(),
        PARAMETERS,
        pieces,
        new float[pieces.size()],
        SemanticBM25Model.LAST_LAYER,
        Arrays.copyOfRange(TinyModel.embeddings(), 6, TinyModel.VOCABULARY.size()),
        TermProjection.identity(TinyModel.HIDDEN),
        WordTable.empty(TinyModel.HIDDEN));
  }

  @AfterEach
  void close() throws IOException {
    reader.close();
    indexFolder.close();
    files.close();
  }

  private AttachedTerms attach() throws IOException {
    try (TermEncoder encoder =
        new TermEncoder(neural, SemanticBM25Model.LAST_LAYER, Runnable::run)) {
      return new Attacher(model, encoder, Progress.SILENT).attach(reader, FIELD, analyzer, 1);
    }
  }

  private static List<String> softTerms(SemanticField semantic, String text) {
    return SoftTermQuery.in(semantic.query(text)).stream()
        .flatMap(q -> q.getSoftTerms().stream())
        .map(t -> t.term().text())
        .toList();
  }

  @Test
  void rareWordsOfTheIndexBecomeSoftTerms() throws IOException {
    SemanticField plain = SemanticField.of(model, FIELD, analyzer);
    assertEquals(List.of(), softTerms(plain, "laptop"));
    SemanticField attached = plain.withAttached(attach());
    assertEquals(List.of("notebook"), softTerms(attached, "laptop"));
    Coverage before = plain.coverage(reader);
    Coverage after = attached.coverage(reader);
    assertEquals(0, before.known());
    assertEquals(before.terms() - 1, after.known(), "all but 2019");
  }

  @Test
  void leavesOutWhatTheModelKnowsAndWhatIsNoWord() throws IOException {
    model = extract(neural);
    SemanticField plain = SemanticField.of(model, FIELD, analyzer);
    AttachedTerms attached = attach();
    assertTrue(plain.knows(new BytesRef("car")));
    assertEquals(1, plain.coverage(reader).spelt(), "caring");
    assertEquals(1, attached.size());
    assertTrue(plain.withAttached(attached).knows(new BytesRef("caring")));
    assertEquals(plain.coverage(reader).terms(), attached.origin().indexTerms());
    assertFalse(plain.withAttached(attached).knows(new BytesRef("2019")));
  }

  @Test
  void recordsWhatItWasMadeOf() throws IOException {
    AttachedTerms.Origin origin = attach().origin();
    assertEquals(
        folder.resolve("index").toAbsolutePath().toString(),
        Path.of(origin.index()).toAbsolutePath().toString());
    assertEquals(FIELD, origin.field());
    assertEquals(model.id(), origin.modelId());
    assertEquals(SemanticField.of(model, FIELD, analyzer).analysis(), origin.analysis());
  }

  @Test
  void attachingChangesNothingInTheIndex() throws IOException {
    List<String> before = digest();
    attach().write(files, FILE);
    assertEquals(before, digest());
  }

  private List<String> digest() throws IOException {
    try (var all = Files.list(folder.resolve("index"))) {
      return all.sorted()
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
  void damagedFilesAreRefused() throws IOException {
    attach().write(files, FILE);
    Path file = folder.resolve("files").resolve(FILE);
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
    model.write(files, FILE);
    assertRefused(file);
  }

  private void assertRefused(Path file) {
    IOException e = assertThrows(IOException.class, () -> AttachedTerms.read(files, FILE));
    assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
    assertTrue(e.getMessage().contains("sbm25 attach"), e.getMessage());
  }

  @Test
  void leavesOutTermsOfFewDocuments() throws IOException {
    try (IndexWriter writer = new IndexWriter(indexFolder, new IndexWriterConfig(analyzer))) {
      Document document = new Document();
      document.add(new TextField(FIELD, "banana", Field.Store.YES));
      writer.addDocument(document);
    }
    reader.close();
    reader = DirectoryReader.open(indexFolder);
    try (TermEncoder encoder =
        new TermEncoder(neural, SemanticBM25Model.LAST_LAYER, Runnable::run)) {
      Attacher attacher = new Attacher(model, encoder, Progress.SILENT);
      AttachedTerms attached = attacher.attach(reader, FIELD, analyzer, 2);
      assertEquals(1, attached.size());
      assertEquals(new BytesRef("banana"), attached.term(0));
      assertTrue(attacher.attach(reader, FIELD, analyzer, 1).size() > 1);
      assertThrows(
          IllegalArgumentException.class, () -> attacher.attach(reader, FIELD, analyzer, 0));
    }
  }

  @Test
  void anInterruptEndsTheWork() {
    Thread.currentThread().interrupt();
    assertThrows(InterruptedIOException.class, this::attach);
    assertTrue(Thread.interrupted());
  }

  @Test
  void wordsOfThousandsOfLettersAreLeftOut() throws IOException {
    try (IndexWriter writer =
        new IndexWriter(indexFolder, new IndexWriterConfig(new WhitespaceAnalyzer()))) {
      Document document = new Document();
      String protein = "abcdefghijklmnopqrstuvwy".repeat(1_300);
      document.add(new TextField(FIELD, protein, Field.Store.YES));
      writer.addDocument(document);
    }
    reader.close();
    reader = DirectoryReader.open(indexFolder);
    AttachedTerms attached = attach();
    for (int i = 0; i < attached.size(); i++) {
      assertTrue(attached.term(i).length <= 100, attached.term(i).utf8ToString());
    }
  }

  /** The model with whole words of the neural model that it was extracted from. */
  private SemanticBM25Model withWords() throws IOException {
    List<String> words = List.of("car", "banana", "red");
    try (TermEncoder encoder =
        new TermEncoder(neural, SemanticBM25Model.LAST_LAYER, Runnable::run)) {
      return new SemanticBM25Model(
          model.provenance(),
          PARAMETERS,
          TinyModel.VOCABULARY.subList(6, TinyModel.VOCABULARY.size()),
          new float[TinyModel.VOCABULARY.size() - 6],
          SemanticBM25Model.LAST_LAYER,
          Arrays.copyOfRange(TinyModel.embeddings(), 6, TinyModel.VOCABULARY.size()),
          TermProjection.identity(TinyModel.HIDDEN),
          WordTable.of(
              10,
              words,
              new int[] {1, 1, 1},
              encoder.encodeWords(words, Progress.SILENT),
              TermProjection.identity(TinyModel.HIDDEN)));
    }
  }

  @Test
  void takesAnEncoderThatIsLikeTheModelsOwnAndNoOther() throws IOException {
    SemanticBM25Model known = withWords();
    NeuralModel alike = TinyModel.write(folder.resolve("alike"), TinyModel.Weights.HALF);
    try (TermEncoder encoder =
        new TermEncoder(alike, SemanticBM25Model.LAST_LAYER, Runnable::run)) {
      Attacher attacher = new Attacher(known, encoder, Progress.SILENT);
      assertTrue(attacher.attach(reader, FIELD, analyzer, 1).size() > 0);
      // without words there is nothing to compare
      Attacher unknown = new Attacher(model, encoder, Progress.SILENT);
      assertThrows(
          IllegalArgumentException.class, () -> unknown.attach(reader, FIELD, analyzer, 1));
    }
    for (int hidden : new int[] {TinyModel.HIDDEN, 2 * TinyModel.HIDDEN}) {
      Path other = folder.resolve("other" + hidden);
      TinyModel.write(other, TinyModel.Weights.FLOAT);
      new TinyBert(
              new TinyBert.Shape(TinyModel.VOCABULARY.size(), 256, 2, hidden, 2, 2 * hidden), 9)
          .write(other);
      try (TermEncoder encoder =
          new TermEncoder(NeuralModel.at(other), SemanticBM25Model.LAST_LAYER, Runnable::run)) {
        Attacher attacher = new Attacher(known, encoder, Progress.SILENT);
        IllegalArgumentException e =
            assertThrows(
                IllegalArgumentException.class, () -> attacher.attach(reader, FIELD, analyzer, 1));
        assertTrue(e.getMessage().contains("nor like it"), e.getMessage());
      }
    }
  }

  @Test
  void aMissingFieldAndAnotherLayerAreToldPlainly() throws IOException {
    try (TermEncoder encoder =
        new TermEncoder(neural, SemanticBM25Model.LAST_LAYER, Runnable::run)) {
      Attacher attacher = new Attacher(model, encoder, Progress.SILENT);
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class, () -> attacher.attach(reader, "title", analyzer, 1));
      assertTrue(e.getMessage().contains("'title'"), e.getMessage());
      SemanticBM25Model other =
          new SemanticBM25Model(
              model.provenance(),
              PARAMETERS,
              List.of("car"),
              new float[1],
              2,
              new float[1][TinyModel.HIDDEN],
              TermProjection.identity(TinyModel.HIDDEN),
              WordTable.empty(TinyModel.HIDDEN));
      e =
          assertThrows(
              IllegalArgumentException.class, () -> new Attacher(other, encoder, Progress.SILENT));
      assertTrue(e.getMessage().contains("illegal layer of the encoder: 0"), e.getMessage());
    }
  }
}
