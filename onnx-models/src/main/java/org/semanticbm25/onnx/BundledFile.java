package org.semanticbm25.onnx;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexOutput;

/** What was extracted from the cross-encoder that ships, as a file on the class path. */
final class BundledFile {
  private BundledFile() {}

  /** Reads a file out of a folder. */
  @FunctionalInterface
  interface Reader<T> {
    T read(Directory directory, String name) throws IOException;
  }

  /**
   * Reads a file.
   *
   * @param extension that it has after the cross-encoder's name
   */
  static <T> T read(String extension, Reader<T> reader) throws IOException {
    String name = NeuralModel.BUNDLED + extension;
    try (Directory memory = new ByteBuffersDirectory();
        InputStream in = BundledFile.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new NoSuchFileException(
            name + ": not on the class path; add the artifact of this library that has it");
      }
      byte[] bytes = in.readAllBytes();
      try (IndexOutput out = memory.createOutput(name, IOContext.DEFAULT)) {
        out.writeBytes(bytes, bytes.length);
      }
      return reader.read(memory, name);
    }
  }
}
