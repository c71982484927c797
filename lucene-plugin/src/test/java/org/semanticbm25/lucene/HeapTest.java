package org.semanticbm25.lucene;

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
import org.semanticbm25.lucene.AttachedField.IdfScale;
import org.semanticbm25.lucene.AttachedField.Neighbour;
import org.semanticbm25.similarity.ScoringParameters;
import org.semanticbm25.similarity.SemanticBM25Model;
import org.semanticbm25.similarity.SemanticBM25Model.Provenance;
import org.semanticbm25.similarity.TermProjection;

/** 50 MB of heap are enough to search an attached index of 100,000 terms with a model of full size. */
class HeapTest {
  private static final int TERMS = 100_000;
  private static final int PIECES = 30_000;
  private static final String FIELD = "body";

  @TempDir Path folder;

  private static String term(int i) {
    return "t%06d".formatted(i);
  }

  @Test
  void searchesIn50MegaBytes() throws Exception {
    SemanticBM25Model model = model();
    try (Directory directory = FSDirectory.open(folder)) {
      model.write(directory, "model");
      attached(model.id()).write(directory, "side");
    }
    index();
    Process search =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx50m",
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

  private static SemanticBM25Model model() {
    Random random = new Random(1);
    float[][] vectors = new float[PIECES][384];
    float[] idf = new float[PIECES];
    for (int i = 0; i < PIECES; i++) {
      idf[i] = (float) random.nextGaussian();
      for (int d = 0; d < 384; d++) {
        vectors[i][d] = (float) random.nextGaussian();
      }
    }
    return new SemanticBM25Model(
        new Provenance("random", "00", "1", "now", Map.of()),
        new ScoringParameters(1.2f, 0.6f, 0f, 1f, 1f, 16, 0.5f, 1f),
        IntStream.range(0, PIECES).mapToObj(i -> "p" + i).toList(),
        idf,
        SemanticBM25Model.LAST_LAYER,
        vectors,
        TermProjection.identity(384));
  }

  private static AttachedField attached(String modelId) {
    Random random = new Random(2);
    List<List<Neighbour>> neighbours = new ArrayList<>();
    for (int i = 0; i < TERMS; i++) {
      neighbours.add(
          random
              .ints(AttachedField.MAX_NEIGHBOURS, 0, TERMS)
              .distinct()
              .mapToObj(t -> new Neighbour(t, 0.7f))
              .toList());
    }
    float[] weights = new float[TERMS];
    Arrays.fill(weights, 1f);
    return new AttachedField(
        FIELD,
        modelId,
        AttachedField.Terms.of(
            IntStream.range(0, TERMS).mapToObj(i -> new BytesRef(term(i))).toList()),
        new float[TERMS],
        weights,
        new IdfScale(1f, 5f),
        neighbours,
        IntStream.range(0, PIECES).toArray());
  }

  private void index() throws IOException {
    try (Directory directory = FSDirectory.open(folder.resolve("index"));
        IndexWriter writer =
            new IndexWriter(directory, new IndexWriterConfig(new StandardAnalyzer()))) {
      for (int doc = 0; doc < TERMS / 10; doc++) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 10; i++) {
          text.append(term(doc * 10 + i)).append(' ');
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
        SemanticBM25 semantic =
            new SemanticBM25(
                SemanticBM25Model.read(files, "model"), AttachedField.read(files, "side"), analyzer);
        IndexSearcher searcher = new IndexSearcher(reader);
        searcher.setSimilarity(semantic.similarity());
        for (int i = 0; i < 200; i++) {
          // two terms of the index, and one that only the model knows
          String text = term(i * 13) + " " + term(i * 101) + " " + "p" + i;
          if (searcher.search(semantic.query(text), 10).scoreDocs.length == 0) {
            throw new IllegalStateException("no hits for " + text);
          }
        }
      }
    }
  }
}
