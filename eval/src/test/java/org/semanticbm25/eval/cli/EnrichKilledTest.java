package org.semanticbm25.eval.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.Terms;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.util.BytesRef;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command {@code enrich}, ended by the system, goes on and makes the same index. */
class EnrichKilledTest {
  private static final int PASSAGES = 600;
  private static final int KILLS = 4;
  private static final String[] WORDS = {
    "laptop", "computer", "price", "bread", "flour", "doctor", "blood", "car", "tire", "garden"
  };

  @TempDir Path folder;
  private final Random random = new Random(3);
  private Path source;
  private Map<String, Long> sourceFiles;

  @BeforeEach
  void index() throws IOException {
    assumeFalse(System.getProperty("os.name").startsWith("Windows"), "signals of Unix");
    source = folder.resolve("source");
    try (Directory directory = FSDirectory.open(source);
        IndexWriter writer =
            new IndexWriter(directory, new IndexWriterConfig(new EnglishAnalyzer()))) {
      for (int i = 0; i < PASSAGES; i++) {
        StringBuilder text = new StringBuilder();
        for (int length = 1 + random.nextInt(40); length > 0; length--) {
          text.append(WORDS[random.nextInt(WORDS.length)]).append(' ');
        }
        Document document = new Document();
        document.add(new TextField("body", text.toString(), Field.Store.YES));
        writer.addDocument(document);
        if (i % 200 == 199) {
          writer.flush();
        }
      }
    }
    sourceFiles = files(source);
  }

  /** Names and checksums. */
  private static Map<String, Long> files(Path folder) throws IOException {
    Map<String, Long> sums = new TreeMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        CRC32 sum = new CRC32();
        sum.update(Files.readAllBytes(file));
        sums.put(file.getFileName().toString(), sum.getValue());
      }
    }
    return sums;
  }

  private Process enrich(Path target, String... shell) throws IOException {
    List<String> command = new ArrayList<>(List.of(shell));
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName(),
            "enrich",
            source.toString(),
            "-o",
            target.toString(),
            "--field",
            "body",
            "--home",
            folder.resolve("home").toString()));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("log").toFile())
        .start();
  }

  private String log() throws IOException {
    return Files.readString(folder.resolve("log"));
  }

  private void finish(Path target) throws Exception {
    Process process = enrich(target);
    assertTrue(process.waitFor(120, TimeUnit.SECONDS), "does not end");
    assertEquals(0, process.exitValue(), log());
  }

  /** The soft field: documents and values of each term. */
  private static Map<String, List<String>> soft(Path index) throws IOException {
    Map<String, List<String>> postings = new TreeMap<>();
    try (Directory directory = FSDirectory.open(index);
        DirectoryReader reader = DirectoryReader.open(directory)) {
      assertEquals(PASSAGES, reader.numDocs());
      for (LeafReaderContext leaf : reader.leaves()) {
        Terms terms = leaf.reader().terms("body_soft");
        TermsEnum each = terms.iterator();
        for (BytesRef term = each.next(); term != null; term = each.next()) {
          PostingsEnum docs = each.postings(null, PostingsEnum.FREQS);
          while (docs.nextDoc() != DocIdSetIterator.NO_MORE_DOCS) {
            postings
                .computeIfAbsent(term.utf8ToString(), t -> new ArrayList<>())
                .add(leaf.docBase + docs.docID() + ":" + docs.freq());
          }
        }
      }
    }
    return postings;
  }

  @Test
  void killedAtAnyMomentItGoesOn() throws Exception {
    Path whole = folder.resolve("whole");
    long start = System.nanoTime();
    finish(whole);
    long milliseconds = (System.nanoTime() - start) / 1_000_000;
    Path target = folder.resolve("target");
    for (int i = 0; i < KILLS; i++) {
      Process process = enrich(target);
      // the second half of the time, of which the first goes into starting
      Thread.sleep(milliseconds / 2 + random.nextLong(milliseconds / 2));
      process.destroyForcibly().waitFor();
      if (Files.exists(target)) {
        break;
      }
    }
    if (!Files.exists(target)) {
      finish(target);
    }
    assertEquals(soft(whole), soft(target));
    assertEquals(sourceFiles, files(source));
  }

  /** A limit on the size of files stands for a disk that is full before anything runs. */
  @Test
  void fullDiskIsTold() throws Exception {
    Path target = folder.resolve("target");
    Process process = enrich(target, "bash", "-c", "ulimit -f 40; exec \"$@\"", "bash");
    assertTrue(process.waitFor(120, TimeUnit.SECONDS), "does not end");
    assertEquals(1, process.exitValue(), log());
    assertTrue(log().lines().anyMatch(line -> line.startsWith("sbm25: ")), log());
    assertFalse(log().contains("Exception in thread"), log());
    assertFalse(Files.exists(target));
    assertEquals(sourceFiles, files(source));
  }
}
