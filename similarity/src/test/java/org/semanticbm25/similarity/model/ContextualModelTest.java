package org.semanticbm25.similarity.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexOutput;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.similarity.model.ContextualModel.Parameters;

class ContextualModelTest {
  private static final String NAME = "terms.context";
  private static final Parameters PARAMETERS = new Parameters(5f, 0.4f, 0.5f, 2f, 0.01f, 0.7f);

  private static ContextualModel model(float... weights) {
    return new ContextualModel(
        new Provenance("tiny", "ab12", "1.0", "2026-11-01T00:00:00Z", Map.of("steps", "10")),
        PARAMETERS,
        List.of("laptop", "notebook"),
        weights,
        new float[] {3f, 4f},
        TermVectors.quantize(3, new float[][] {{1, 0.5f, 0}, {0, -1, 0.2f}}));
  }

  @Test
  void readsWhatItWrote(@TempDir Path folder) throws IOException {
    ContextualModel written = model(1f, 0.5f);
    try (Directory directory = FSDirectory.open(folder)) {
      written.write(directory, NAME);
      ContextualModel read = ContextualModel.read(directory, NAME);
      assertEquals(written.id(), read.id());
      assertEquals(written.provenance(), read.provenance());
      assertEquals(PARAMETERS, read.parameters());
      assertEquals(2, read.size());
      assertEquals("notebook", read.word(1));
      assertEquals(0.5f, read.weight(1));
      assertEquals(3f, read.idf(0));
      assertArrayEquals(written.vectors().bytes(), read.vectors().bytes());
    }
  }

  @Test
  void namesADamagedFile(@TempDir Path folder) throws IOException {
    try (Directory directory = FSDirectory.open(folder)) {
      model(1f, 1f).write(directory, NAME);
      byte[] bytes = Files.readAllBytes(folder.resolve(NAME));
      bytes[bytes.length / 2] ^= 1;
      Files.write(folder.resolve(NAME), bytes);
      String message =
          assertThrows(IOException.class, () -> ContextualModel.read(directory, NAME)).getMessage();
      assertTrue(message.contains(NAME), message);
    }
  }

  @Test
  void isNamedByItsContent() {
    assertEquals(model(1f, 1f).id(), model(1f, 1f).id());
    assertNotEquals(model(1f, 1f).id(), model(1f, 2f).id());
  }

  @Test
  void refusesNumbersOutOfRange() {
    assertThrows(IllegalArgumentException.class, () -> model(1f));
    assertThrows(IllegalArgumentException.class, () -> model(1f, 0f));
    assertThrows(IllegalArgumentException.class, () -> model(1f, Float.NaN));
    assertThrows(IllegalArgumentException.class, () -> new Parameters(0f, 0.4f, 0.5f, 2f, 0f, 0f));
    assertThrows(IllegalArgumentException.class, () -> new Parameters(5f, 1.4f, 0.5f, 2f, 0f, 0f));
    assertThrows(IllegalArgumentException.class, () -> new Parameters(5f, 0.4f, 1f, 2f, 0f, 0f));
    assertThrows(IllegalArgumentException.class, () -> new Parameters(5f, 0.4f, 0.5f, 0f, 0f, 0f));
    assertThrows(IllegalArgumentException.class, () -> new Parameters(5f, 0.4f, 0.5f, 2f, -1f, 0f));
    assertThrows(IllegalArgumentException.class, () -> new Parameters(5f, 0.4f, 0.5f, 2f, 0f, -1f));
  }

  /** Of weight 2, in a passage that is twice as long as the mean. */
  @Test
  void valueIsTheShareOfTheLargestPart() {
    double soft = 4.5 / (4.5 + 5 * (0.6 + 0.4 * 2));
    double literal = 3 / (3 + 1.2 * (0.25 + 0.75 * 2));
    double share = (2 * soft + 0.7 * literal) / 2.7;
    float value = PARAMETERS.value(2f, 3, 1.5f, 2f);
    assertEquals(share, value / (value + 5), 1e-6);
    Parameters softOnly = model(1f, 1f).withLiteral(0f).parameters();
    assertEquals(4.5 / 1.4, softOnly.value(2f, 3, 1.5f, 2f), 1e-5);
  }

  @Test
  void anotherWeightOfTheLiteralFrequencyIsAnotherModel() {
    ContextualModel model = model(1f, 1f);
    assertEquals(0f, model.withLiteral(0f).parameters().literal());
    assertNotEquals(model.id(), model.withLiteral(0f).id());
    assertEquals(model.id(), model.withLiteral(0f).withLiteral(0.7f).id());
  }

  @Test
  void kernelBeginsAtTheThreshold() {
    assertEquals(0f, PARAMETERS.kernel(0.5f));
    assertEquals(0.25f, PARAMETERS.kernel(0.75f), 1e-6f);
    assertEquals(1f, PARAMETERS.kernel(1f), 1e-6f);
  }

  /** A file with a checksum that fits may still be crafted to ask for all memory. */
  @Test
  void believesNoSizeThatTheFileCannotHold(@TempDir Path folder) throws IOException {
    try (Directory directory = FSDirectory.open(folder)) {
      for (int size : new int[] {Integer.MAX_VALUE, 1 << 28, -1}) {
        try (IndexOutput out = directory.createOutput(NAME, IOContext.DEFAULT)) {
          CodecUtil.writeHeader(out, "ContextualModel", 2);
          new Provenance("tiny", "ab12", "1.0", "2026-11-01T00:00:00Z", Map.of()).write(out);
          for (float number : new float[] {5f, 0.4f, 0.5f, 2f, 0.01f, 0.7f}) {
            out.writeInt(Float.floatToIntBits(number));
          }
          out.writeVInt(size);
          CodecUtil.writeFooter(out);
        }
        String message =
            assertThrows(IOException.class, () -> ContextualModel.read(directory, NAME))
                .getMessage();
        assertTrue(message.contains(NAME) && message.contains("damaged"), message);
        directory.deleteFile(NAME);
      }
    }
  }
}
