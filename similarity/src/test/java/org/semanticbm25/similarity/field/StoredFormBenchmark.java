package org.semanticbm25.similarity.field;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.FeatureField;
import org.apache.lucene.document.FieldType;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.util.BytesRef;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.similarity.search.ContextualTermQuery;

/**
 * Two ways to store soft frequencies: as term frequencies, which {@link ContextualTermQuery} reads,
 * and as Lucene's {@link FeatureField}, whose saturation query is the same formula. Prints the
 * sizes of two indexes of the same values and the times of the same searches, run alternately. Not
 * run by default:
 *
 * <pre>./mvnw -q test -pl similarity -am -Djacoco.skip -Dtest=StoredFormBenchmark
 *     -Dsurefire.failIfNoSpecifiedTests=false</pre>
 */
class StoredFormBenchmark {
  private static final int PASSAGES = 300_000;
  private static final int TERMS_OF_A_PASSAGE = 150;
  private static final int VOCABULARY = 20_000;
  private static final int QUERIES = 200;
  private static final int ROUNDS = 7;
  private static final int TOP = 10;
  private static final String FIELD = "soft";
  private static final String MODEL = "m";
  private static final float K1 = 4f;

  @TempDir Path folder;

  /** Frequent terms more often. */
  private static String term(Random random) {
    return "t" + (int) (VOCABULARY * Math.pow(random.nextDouble(), 3));
  }

  private static void write(Directory directory, boolean asFeatures) throws IOException {
    Random random = new Random(5);
    FieldType type = SoftTermField.type(Map.of(ContextualTermQuery.MODEL, MODEL));
    try (IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig())) {
      for (int passage = 0; passage < PASSAGES; passage++) {
        SortedMap<BytesRef, Integer> frequencies = new TreeMap<>();
        for (int i = 0; i < TERMS_OF_A_PASSAGE; i++) {
          float value = (float) -Math.log(1 - random.nextDouble());
          frequencies.put(new BytesRef(term(random)), ContextualTermQuery.frequency(value));
        }
        Document document = new Document();
        if (asFeatures) {
          frequencies.forEach(
              (term, frequency) ->
                  document.add(
                      new FeatureField(
                          FIELD,
                          term.utf8ToString(),
                          (float) frequency / ContextualTermQuery.UNIT)));
        } else {
          document.add(new SoftTermField(FIELD, type, frequencies));
        }
        writer.addDocument(document);
      }
      writer.forceMerge(1);
    }
  }

  private static Query query(Random random, boolean asFeatures) {
    BooleanQuery.Builder any = new BooleanQuery.Builder();
    for (int words = 2 + random.nextInt(5); words > 0; words--) {
      String term = term(random);
      float weight = 1 + 5 * random.nextFloat();
      any.add(
          asFeatures
              ? FeatureField.newSaturationQuery(FIELD, term, weight, K1)
              : new ContextualTermQuery(new Term(FIELD, term), "text", MODEL, K1, 1f, weight),
          Occur.SHOULD);
    }
    return any.build();
  }

  private static double size(Directory directory) throws IOException {
    long bytes = 0;
    for (String file : directory.listAll()) {
      bytes += directory.fileLength(file);
    }
    return bytes / 1e6;
  }

  @Test
  void compare() throws IOException {
    try (Directory frequencies = FSDirectory.open(folder.resolve("frequencies"));
        Directory features = FSDirectory.open(folder.resolve("features"))) {
      write(frequencies, false);
      write(features, true);
      System.out.printf(
          "size: term frequencies %.1f MB, features %.1f MB%n", size(frequencies), size(features));
      try (DirectoryReader first = DirectoryReader.open(frequencies);
          DirectoryReader second = DirectoryReader.open(features)) {
        IndexSearcher[] searchers = {new IndexSearcher(first), new IndexSearcher(second)};
        double[] ratios = new double[QUERIES];
        double[] millis = new double[QUERIES];
        for (int q = 0; q < QUERIES; q++) {
          double[][] times = times(searchers, q);
          millis[q] = times[0][ROUNDS / 2];
          ratios[q] = times[1][ROUNDS / 2] / times[0][ROUNDS / 2];
        }
        Arrays.sort(millis);
        Arrays.sort(ratios);
        System.out.printf(
            "search, top %d of %d: term frequencies p50 %.3f ms; features, median ratio %.2f%n",
            TOP, PASSAGES, millis[QUERIES / 2], ratios[QUERIES / 2]);
      }
    }
  }

  /** Sorted times of a query by both ways, in milliseconds. */
  private static double[][] times(IndexSearcher[] searchers, int q) throws IOException {
    double[][] times = new double[searchers.length][ROUNDS];
    ScoreDoc[][] hits = new ScoreDoc[searchers.length][];
    for (int round = -3; round < ROUNDS; round++) {
      for (int i = 0; i < searchers.length; i++) {
        Query query = query(new Random(q), i == 1);
        searchers[i].setQueryCache(null);
        long start = System.nanoTime();
        hits[i] = searchers[i].search(query, TOP).scoreDocs;
        if (round >= 0) {
          times[i][round] = (System.nanoTime() - start) / 1e6;
        }
      }
    }
    // features keep nine bits of a value
    assertEquals(hits[0][0].score, hits[1][0].score, 0.01f * hits[0][0].score);
    for (double[] each : times) {
      Arrays.sort(each);
    }
    return times;
  }
}
