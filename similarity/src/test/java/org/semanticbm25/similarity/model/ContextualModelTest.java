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
  private static final Parameters PARAMETERS = new Parameters(5f, 0.4f, 0.5f, 2f, 0.01f);

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
    assertThrows(IllegalArgumentException.class, () -> new Parameters(0f, 0.4f, 0.5f, 2f, 0f));
    assertThrows(IllegalArgumentException.class, () -> new Parameters(5f, 1.4f, 0.5f, 2f, 0f));
    assertThrows(IllegalArgumentException.class, () -> new Parameters(5f, 0.4f, 1f, 2f, 0f));
    assertThrows(IllegalArgumentException.class, () -> new Parameters(5f, 0.4f, 0.5f, 0f, 0f));
    assertThrows(IllegalArgumentException.class, () -> new Parameters(5f, 0.4f, 0.5f, 2f, -1f));
  }

  @Test
  void normalizesLengthAndCosine() {
    assertEquals(1f, PARAMETERS.norm(20, 20f), 1e-6f);
    assertEquals(1.4f, PARAMETERS.norm(40, 20f), 1e-6f);
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
          CodecUtil.writeHeader(out, "ContextualModel", 1);
          new Provenance("tiny", "ab12", "1.0", "2026-11-01T00:00:00Z", Map.of()).write(out);
          for (float number : new float[] {5f, 0.4f, 0.5f, 2f, 0.01f}) {
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
