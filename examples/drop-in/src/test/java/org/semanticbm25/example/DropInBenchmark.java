package org.semanticbm25.example;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.search.IndexSearcher;
import org.junit.jupiter.api.Test;
import org.semanticbm25.english.EnglishModel;
import org.semanticbm25.similarity.field.SemanticField;
import org.semanticbm25.similarity.model.WordTable;

/**
 * What the drop-in costs: time to start, heap, and time of a query with a term that was not asked
 * before and with one that was. Not run by default:
 *
 * <pre>./mvnw -q test -pl examples/drop-in -am -Djacoco.skip -Dtest=DropInBenchmark
 *     -Dsurefire.failIfNoSpecifiedTests=false</pre>
 */
class DropInBenchmark {
  private static final int TERMS = 1000;

  @Test
  void costs() throws Exception {
    long before = usedHeap();
    long start = System.nanoTime();
    Analyzer analyzer = new EnglishAnalyzer();
    SemanticField field = SemanticField.of(EnglishModel.load(), "body", analyzer);
    field.query("first");
    System.out.printf("start-up, cold JVM: %.0f ms%n", millisSince(start));
    System.out.printf("heap: %.1f MB%n", (usedHeap() - before) / 1e6);

    WordTable words = EnglishModel.load().words();
    int step = words.size() / TERMS;
    assertEquals(TERMS, words.size() / step);
    IntToDoubleFunction search = i -> query(field, words.word(i * step));
    report("a new term", search);
    report("a term asked before", search);

    // Lucene refuses more than 1,024 clauses otherwise
    IndexSearcher.setMaxClauseCount(5000);
    int asked = 0;
    for (int length : new int[] {64, 1000, 5000}) {
      // between those that were asked
      String text =
          IntStream.range(asked, asked + length)
              .mapToObj(i -> words.word(i + i / (step - 1) + 1))
              .collect(Collectors.joining(" "));
      System.out.printf("a query of %d new words: %.0f ms%n", length, query(field, text));
      asked += length;
    }
  }

  private static double query(SemanticField field, String word) {
    long start = System.nanoTime();
    field.query(word);
    return millisSince(start);
  }

  private static void report(String what, IntToDoubleFunction search) {
    double[] millis = new double[TERMS];
    Arrays.setAll(millis, search);
    Arrays.sort(millis);
    System.out.printf(
        "%s: p50 %.3f ms, p99 %.3f ms%n", what, millis[TERMS / 2], millis[TERMS * 99 / 100]);
  }

  private static double millisSince(long start) {
    return (System.nanoTime() - start) / 1e6;
  }

  private static long usedHeap() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }
}
