package org.semanticbm25.eval.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
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

/** The command {@code compare}, killed and called again, makes the same comparison. */
class CompareKilledTest {
  private static final int KILLS = 3;
  private static final String[] WORDS = {
    "laptop", "computer", "price", "bread", "flour", "doctor", "blood", "car", "tire", "garden"
  };

  @TempDir Path folder;
  private final Random random = new Random(5);

  private String text(int words) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < words; i++) {
      text.append(WORDS[random.nextInt(WORDS.length)]).append(' ');
    }
    return text.toString();
  }

  private void write() throws IOException {
    try (Directory directory = FSDirectory.open(folder.resolve("index"));
        IndexWriter writer =
            new IndexWriter(directory, new IndexWriterConfig(new EnglishAnalyzer()))) {
      for (int i = 0; i < 300; i++) {
        Document document = new Document();
        document.add(new TextField("contents", text(1 + random.nextInt(40)), Field.Store.YES));
        writer.addDocument(document);
      }
    }
    List<String> queries = new ArrayList<>(List.of("xyzzy"));
    for (int i = 0; i < 12; i++) {
      queries.add(text(2 + random.nextInt(3)));
    }
    Files.write(folder.resolve("log.txt"), queries);
  }

  private Process compare(String home, String report) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName(),
            "compare",
            folder.resolve("index").toString(),
            "--queries",
            folder.resolve("log.txt").toString(),
            "--rerank",
            "30",
            "--home",
            folder.resolve(home).toString(),
            "-o",
            folder.resolve(report).toString())
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("log").toFile())
        .start();
  }

  private void finish(String home, String report) throws Exception {
    Process process = compare(home, report);
    assertTrue(process.waitFor(180, TimeUnit.SECONDS), "does not end");
    assertEquals(0, process.exitValue(), Files.readString(folder.resolve("log")));
  }

  /** All but times. */
  private JsonNode comparison(String report) throws IOException {
    JsonNode all = new ObjectMapper().readTree(folder.resolve(report).toFile());
    ((ObjectNode) all.path("settings")).remove("made");
    all.at("/collections/0/systems")
        .forEach(system -> ((ObjectNode) system).remove(List.of("millis", "cost")));
    return all;
  }

  private long scored(String home) throws IOException {
    Path scores = folder.resolve(home).resolve("scores");
    if (!Files.exists(scores)) {
      return 0;
    }
    long size = 0;
    try (Stream<Path> files = Files.list(scores)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".scores")).toList()) {
        size += Files.size(file);
      }
    }
    return size;
  }

  @Test
  void goesOnAndEndsWithTheSameNumbers() throws Exception {
    write();
    finish("undisturbed", "whole.html");
    long all = scored("undisturbed");
    for (int kill = 1; kill <= KILLS; kill++) {
      Process process = compare("killed", "killed.html");
      while (process.isAlive() && scored("killed") < all * kill / (KILLS + 1)) {
        Thread.sleep(20);
      }
      process.destroyForcibly().waitFor();
      assertFalse(Files.exists(folder.resolve("killed.html")), "killed too late");
    }
    finish("killed", "killed.html");
    assertEquals(all, scored("killed"), "no pair was scored twice");
    assertEquals(comparison("whole.json"), comparison("killed.json"));
    JsonNode first = comparison("killed.json").at("/collections/0");
    assertEquals(13, first.path("queries").asInt());
    assertFalse(first.path("judged").asBoolean());
    assertTrue(first.at("/systems/1/agreement/r").isNumber());
  }
}
