package org.semanticbm25.similarity.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.FilterDirectory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexOutput;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SemanticBM25ModelTest {
  private static final String NAME = "model.sbm25";
  private static final ScoringParameters PARAMETERS =
      new ScoringParameters(1.2f, 0.6f, 0.3f, 2f, 0.6f, 8, 0.1f, 1f);

  @TempDir Path folder;
  private Directory directory;

  @BeforeEach
  void open() throws IOException {
    directory = FSDirectory.open(folder);
  }

  @AfterEach
  void close() throws IOException {
    directory.close();
  }

  private static SemanticBM25Model model(float firstIdf) {
    return new SemanticBM25Model(
        new Provenance("tiny", "ab12", "1.0", "2026-11-01T00:00:00Z", Map.of("r", "0.7")),
        PARAMETERS,
        List.of("lap", "##top", "note", "##book"),
        new float[] {firstIdf, 0.5f, 0f, 1.5f},
        2,
        new float[][] {{1, 0, 0}, {0.5f, 0.5f, 0}, {0, -2, 0}, {0, 0, 0}},
        new TermProjection(
            new float[3],
            new float[][] {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
            new float[] {0.5f, -1, 2}),
        WordTable.of(
            5,
            List.of("laptop", "notebook"),
            new int[] {5, 1},
            new float[][] {{1, 0.5f, 0}, {0, -1, 0.2f}},
            TermProjection.identity(3)));
  }

  private static WordEdit edit(String word, float weight) {
    return new WordEdit(word, weight, "test", "2026-11-02T00:00:00Z");
  }

  @Test
  void readsWhatItWrote() throws IOException {
    SemanticBM25Model written = model(-1f).withEdits(List.of(edit("laptop", 0f)));
    written.write(directory, NAME);
    SemanticBM25Model read = SemanticBM25Model.read(directory, NAME);
    assertEquals(written.id(), read.id());
    assertEquals(written.provenance(), read.provenance());
    assertEquals(PARAMETERS, read.parameters());
    assertEquals(List.of(edit("laptop", 0f)), read.edits());
    assertEquals(4, read.wordpieces().size());
    assertEquals("##top", read.wordpieces().piece(1));
    assertEquals(-1f, read.idf(0));
    assertEquals(2, read.layer());
    for (int i = 0; i < 4; i++) {
      assertArrayEquals(written.vectors().unit(i), read.vectors().unit(i));
      assertEquals(written.weight(new int[] {i}), read.weight(new int[] {i}));
    }
    assertEquals(5, read.words().passages());
    assertEquals(2, read.words().size());
    assertEquals("notebook", read.words().word(1));
    assertEquals(1, read.words().frequency(1));
    assertEquals(written.words().weight(0), read.words().weight(0));
    assertArrayEquals(written.words().vectors().unit(1), read.words().vectors().unit(1));
    float[] state = {3, -1, 2};
    assertArrayEquals(written.projection().vector(state), read.projection().vector(state));
    assertEquals(written.projection().weight(state), read.projection().weight(state));
    assertEquals(List.of(NAME), List.of(directory.listAll()));
  }

  @Test
  void writesOverAnOldFileInAnyDirectory() throws IOException {
    try (Directory memory = new ByteBuffersDirectory()) {
      model(-1f).write(memory, NAME);
      model(-1f).withEdits(List.of(edit("laptop", 0f))).write(memory, NAME);
      assertEquals(1, SemanticBM25Model.read(memory, NAME).edits().size());
      assertEquals(List.of(NAME), List.of(memory.listAll()));
    }
  }

  @Test
  void idNamesTheContentAndNotTheParameters() {
    SemanticBM25Model model = model(-1f);
    assertEquals(model.id(), model(-1f).id());
    assertNotEquals(model.id(), model(-1.5f).id());
    ScoringParameters other = new ScoringParameters(1f, 1f, 0f, 1f, 1f, 1, 1f, 1f);
    assertEquals(model.id(), model.withParameters(other).id());
    assertEquals(other, model.withParameters(other).parameters());
    assertTrue(model.id().matches("[0-9a-f]{16}"));
  }

  @Test
  void editsAddUpAndLeaveTheModelAsItWas() {
    SemanticBM25Model model = model(-1f);
    SemanticBM25Model edited =
        model.withEdits(List.of(edit("laptop", 2f))).withEdits(List.of(edit("laptop", 0.5f)));
    assertEquals(List.of(edit("laptop", 2f), edit("laptop", 0.5f)), edited.edits());
    assertEquals(edited.edits(), edited.withParameters(PARAMETERS).edits());
    assertEquals(model.id(), edited.id());
    assertEquals(List.of(), model.edits());
    for (float illegal : new float[] {-1f, Float.NaN, Float.POSITIVE_INFINITY}) {
      assertThrows(IllegalArgumentException.class, () -> edit("laptop", illegal));
    }
    assertThrows(IllegalArgumentException.class, () -> edit(" ", 1f));
  }

  @Test
  void everyFlippedByteIsRefused() throws IOException {
    model(-1f).write(directory, NAME);
    byte[] bytes = Files.readAllBytes(folder.resolve(NAME));
    for (int i = 0; i < bytes.length; i++) {
      byte[] damaged = bytes.clone();
      damaged[i] ^= 0x10;
      Files.write(folder.resolve(NAME), damaged);
      assertRefused("byte " + i);
    }
  }

  @Test
  void everyTruncationIsRefused() throws IOException {
    model(-1f).write(directory, NAME);
    byte[] bytes = Files.readAllBytes(folder.resolve(NAME));
    for (int length = 0; length < bytes.length; length++) {
      Files.write(folder.resolve(NAME), Arrays.copyOf(bytes, length));
      assertRefused("length " + length);
    }
  }

  private String assertRefused(String what) {
    IOException e =
        assertThrows(IOException.class, () -> SemanticBM25Model.read(directory, NAME), what);
    assertTrue(e.getMessage().contains(folder.resolve(NAME).toString()), e.getMessage());
    assertTrue(e.getMessage().contains("sbm25 extract"), e.getMessage());
    return e.getMessage();
  }

  @Test
  void missingForeignAndNewerFilesAreToldApart() throws IOException {
    assertTrue(assertRefused("missing").contains("no such semantic BM25 model"));
    Files.writeString(folder.resolve(NAME), "This is a text and no model at all.");
    assertTrue(assertRefused("foreign").contains("no semantic BM25 model, or damaged"));
    Files.delete(folder.resolve(NAME));
    writeHeader(5);
    assertTrue(
        assertRefused("newer")
            .contains("semantic BM25 model of a newer version, 5; this release reads 3 to 4"));
    Files.delete(folder.resolve(NAME));
    writeHeader(2);
    assertTrue(
        assertRefused("older")
            .contains("semantic BM25 model of an older version, 2; this release reads 3 to 4"));
  }

  @Test
  void readsTheFormatBeforeTheTableOfWords() throws IOException {
    SemanticBM25Model model = model(-1f);
    new ChecksummedFile("SemanticBM25Model", 3, 3, "", "")
        .write(
            directory,
            NAME,
            out -> {
              model.provenance().write(out);
              model.parameters().write(out);
              out.writeString("0123456789abcdef");
              out.writeVInt(4);
              for (int i = 0; i < 4; i++) {
                out.writeString(model.wordpieces().piece(i));
                out.writeInt(Float.floatToIntBits(model.idf(i)));
                out.writeInt(Float.floatToIntBits(model.weight(new int[] {i})));
              }
              out.writeVInt(model.layer());
              model.projection().write(out);
              model.vectors().write(out);
              out.writeVInt(1);
              edit("laptop", 0f).write(out);
            });
    SemanticBM25Model read = SemanticBM25Model.read(directory, NAME);
    assertEquals(PARAMETERS, read.parameters());
    assertEquals("##top", read.wordpieces().piece(1));
    assertArrayEquals(model.vectors().unit(1), read.vectors().unit(1));
    assertEquals(List.of(edit("laptop", 0f)), read.edits());
    assertEquals(0, read.words().size());
  }

  private void writeHeader(int version) throws IOException {
    try (IndexOutput out = directory.createOutput(NAME, IOContext.DEFAULT)) {
      CodecUtil.writeHeader(out, "SemanticBM25Model", version);
      CodecUtil.writeFooter(out);
    }
  }

  @Test
  void aFailedWriteLeavesTheOldFileAndNothingElse() throws IOException {
    model(-1f).write(directory, NAME);
    Directory full =
        new FilterDirectory(directory) {
          @Override
          public void rename(String source, String dest) throws IOException {
            throw new IOException("disk full");
          }
        };
    assertThrows(IOException.class, () -> model(-2f).write(full, NAME));
    assertEquals(List.of(NAME), List.of(directory.listAll()));
    assertEquals(model(-1f).id(), SemanticBM25Model.read(directory, NAME).id());
  }

  @Test
  void refusesAVocabularyThatDoesNotFit() {
    Provenance provenance = new Provenance("tiny", "ab12", "1.0", "now", Map.of());
    float[][] two = {{1}, {2}};
    TermProjection same = TermProjection.identity(1);
    WordTable none = WordTable.empty(1);
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new SemanticBM25Model(
                provenance, PARAMETERS, List.of("a"), new float[1], 0, two, same, none));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new SemanticBM25Model(
                provenance, PARAMETERS, List.of("a", "a"), new float[2], 0, two, same, none));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new SemanticBM25Model(
                provenance,
                PARAMETERS,
                List.of("a", "b"),
                new float[] {0, Float.NaN},
                0,
                two,
                same,
                none));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new SemanticBM25Model(
                provenance,
                PARAMETERS,
                List.of("a", "b"),
                new float[2],
                0,
                two,
                same,
                WordTable.empty(2)),
        "a word table of other dimensions");
  }

  @Test
  void quantisedCosinesAreClose() {
    Random random = new Random(7);
    float[][] vectors = new float[50][384];
    for (float[] vector : vectors) {
      for (int d = 0; d < vector.length; d++) {
        vector[d] = (float) random.nextGaussian();
      }
    }
    TermVectors quantized = TermVectors.quantize(384, vectors);
    for (int i = 0; i < vectors.length; i++) {
      assertEquals(1f, quantized.cosine(i, quantized, i), 1e-5);
      assertEquals(cosine(vectors[0], vectors[i]), quantized.cosine(0, quantized, i), 0.01);
    }
    assertEquals(0f, TermVectors.quantize(3, new float[1][3]).cosine(0, model(0f).vectors(), 0));
    assertThrows(
        IllegalArgumentException.class, () -> TermVectors.quantize(2, new float[][] {{1, 2}, {3}}));
    assertThrows(
        IllegalArgumentException.class, () -> TermVectors.quantize(1, new float[][] {{Float.NaN}}));
  }

  private static double cosine(float[] a, float[] b) {
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int d = 0; d < a.length; d++) {
      ab += a[d] * b[d];
      aa += a[d] * a[d];
      bb += b[d] * b[d];
    }
    return ab / Math.sqrt(aa * bb);
  }
}
