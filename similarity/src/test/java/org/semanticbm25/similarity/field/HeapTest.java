package org.semanticbm25.similarity.field;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.standard.StandardAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.util.BytesRef;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.similarity.model.Provenance;
import org.semanticbm25.similarity.model.ScoringParameters;
import org.semanticbm25.similarity.model.SemanticBM25Model;
import org.semanticbm25.similarity.model.TermProjection;
import org.semanticbm25.similarity.model.WordTable;

/**
 * A heap of 64 MB is enough to search with a model of 30,000 wordpieces and 80,000 words and 50,000
 * attached terms.
 */
class HeapTest {
  private static final int PIECES = 30_000;
  private static final int WORDS = 80_000;
  private static final int ATTACHED = 50_000;
  private static final int DIMENSIONS = 128;
  private static final String FIELD = "body";

  @TempDir Path folder;

  /** Letters only. */
  private static String word(int i) {
    StringBuilder word = new StringBuilder("w");
    for (int rest = i; rest > 0; rest /= 26) {
      word.append((char) ('a' + rest % 26));
    }
    return word.toString();
  }

  @Test
  void searchesIn64MegaBytes() throws Exception {
    SemanticBM25Model model = model();
    try (Directory directory = FSDirectory.open(folder)) {
      model.write(directory, "model");
      attached(model).write(directory, "attached");
    }
    index();
    Process search =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path"),
                Search.class.getName(),
                folder.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log").toFile())
            .start();
    search.waitFor(2, TimeUnit.MINUTES);
    assertEquals(0, search.exitValue(), () -> log(folder.resolve("log")));
  }

  private static String log(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }

  private static float[][] random(int rows) {
    Random random = new Random(rows);
    float[][] vectors = new float[rows][DIMENSIONS];
    for (float[] vector : vectors) {
      for (int d = 0; d < DIMENSIONS; d++) {
        vector[d] = (float) random.nextGaussian();
      }
    }
    return vectors;
  }

  private static SemanticBM25Model model() {
    List<String> pieces = new ArrayList<>();
    for (char c = 'a'; c <= 'z'; c++) {
      pieces.add(String.valueOf(c));
      pieces.add("##" + c);
    }
    for (int i = pieces.size(); i < PIECES; i++) {
      pieces.add("[" + i);
    }
    TermProjection projection = TermProjection.identity(DIMENSIONS);
    int[] frequencies = new int[WORDS];
    Arrays.fill(frequencies, 1);
    return new SemanticBM25Model(
        new Provenance("random", "00", "1", "now", Map.of()),
        new ScoringParameters(1.2f, 0.6f, 0f, 1f, 1f, 16, 0.5f, 1f),
        pieces,
        new float[PIECES],
        SemanticBM25Model.LAST_LAYER,
        random(PIECES),
        projection,
        WordTable.of(
            100,
            IntStream.range(0, WORDS).mapToObj(HeapTest::word).toList(),
            frequencies,
            random(WORDS),
            projection));
  }

  private static AttachedTerms attached(SemanticBM25Model model) {
    List<BytesRef> terms =
        IntStream.range(WORDS, WORDS + ATTACHED)
            .mapToObj(i -> new BytesRef(word(i)))
            .sorted()
            .toList();
    float[][] vectors = random(ATTACHED);
    AttachedTerms.Builder attached = new AttachedTerms.Builder(DIMENSIONS);
    for (int i = 0; i < ATTACHED; i++) {
      attached.add(terms.get(i), vectors[i], 1f, 0f);
    }
    String analysis = SemanticField.of(model, FIELD, new StandardAnalyzer()).analysis();
    return attached.build(new AttachedTerms.Origin("index", ATTACHED, FIELD, analysis, model.id()));
  }

  private void index() throws IOException {
    try (Directory directory = FSDirectory.open(folder.resolve("index"));
        IndexWriter writer =
            new IndexWriter(directory, new IndexWriterConfig(new StandardAnalyzer()))) {
      for (int doc = 0; doc < (WORDS + ATTACHED) / 10; doc++) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 10; i++) {
          text.append(word(doc * 10 + i)).append(' ');
        }
        Document document = new Document();
        document.add(new TextField(FIELD, text.toString(), Field.Store.NO));
        writer.addDocument(document);
      }
    }
  }

  /** Runs in the small heap. */
  static final class Search {
    private Search() {}

    public static void main(String[] args) throws IOException {
      Path folder = Path.of(args[0]);
      Analyzer analyzer = new StandardAnalyzer();
      try (Directory files = FSDirectory.open(folder);
          Directory index = FSDirectory.open(folder.resolve("index"));
          DirectoryReader reader = DirectoryReader.open(index)) {
        SemanticField semantic =
            SemanticField.of(SemanticBM25Model.read(files, "model"), FIELD, analyzer)
                .withAttached(AttachedTerms.read(files, "attached"));
        IndexSearcher searcher = new IndexSearcher(reader);
        searcher.setSimilarity(semantic.similarity());
        for (int i = 0; i < 200; i++) {
          // a word of the model, an attached one, and one that goes by its wordpieces
          String text = word(i * 13) + " " + word(WORDS + i * 101) + " unheard" + word(i);
          if (searcher.search(semantic.query(text), 10).scoreDocs.length == 0) {
            throw new IllegalStateException("no hits for " + text);
          }
        }
      }
    }
  }
}
