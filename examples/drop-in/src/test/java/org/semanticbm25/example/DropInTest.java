package org.semanticbm25.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.english.EnglishModel;
import org.semanticbm25.similarity.field.SemanticField;

class DropInTest {
  @TempDir Path folder;

  @Test
  void findsByMeaning() throws IOException {
    try (Directory directory = FSDirectory.open(folder);
        IndexWriter writer =
            new IndexWriter(directory, new IndexWriterConfig(new EnglishAnalyzer()))) {
      for (String text :
          List.of("a banana", "the physicians prescribed it", "an inexpensive car")) {
        Document document = new Document();
        document.add(new TextField("body", text, Field.Store.NO));
        writer.addDocument(document);
      }
    }
    String out = run(folder.toString(), "body", "which doctor");
    assertEquals(1, out.lines().count(), out);
    assertTrue(out.endsWith("document 1" + System.lineSeparator()), out);
  }

  private static String run(String... args) throws IOException {
    PrintStream real = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
      DropIn.main(args);
    } finally {
      System.setOut(real);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  /** Neither a neural runtime nor a tokenizer library is on the class path. */
  @Test
  void needsNoNeuralRuntime() {
    for (String type :
        List.of(
            "ai.onnxruntime.OrtEnvironment",
            "ai.djl.huggingface.tokenizers.HuggingFaceTokenizer",
            "com.google.protobuf.Message",
            "com.fasterxml.jackson.databind.ObjectMapper")) {
      assertTrue(isMissing(type), type);
    }
  }

  /** Both artifacts together, unpacked, stay small enough to be added to any application. */
  @Test
  void isSmall() throws Exception {
    long bytes = size(SemanticField.class) + size(EnglishModel.class);
    assertTrue(bytes > 10_000_000, "the model is counted: " + bytes);
    assertTrue(bytes <= 20_000_000, bytes + " bytes");
  }

  /** Bytes of the jar or of the folder of classes and resources that a class comes from. */
  private static long size(Class<?> type) throws Exception {
    Path place = Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    try (Stream<Path> files = Files.walk(place)) {
      return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
    }
  }

  private static boolean isMissing(String type) {
    try {
      Class.forName(type);
      return false;
    } catch (ClassNotFoundException e) {
      return true;
    }
  }
}
