package org.semanticbm25.eval.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.semanticbm25.eval.collection.Dataset;
import org.semanticbm25.eval.collection.Run;
import org.semanticbm25.eval.collection.Run.Hit;

class MeasureTest {
  private static final Path GOLDEN = Path.of("../../shared/golden");
  private static final Path QRELS = Path.of("../../shared/datasets/trec-dl-2019/qrels/test.tsv");
  private static final Map<String, Measure> BY_TREC_NAME = new LinkedHashMap<>();

  static {
    for (int relevant : new int[] {1, 2}) {
      String prefix = relevant == 1 ? "" : "rel2_";
      BY_TREC_NAME.put(prefix + "map", Measure.ap(1000, relevant));
      BY_TREC_NAME.put(prefix + "recip_rank", Measure.rr(1000, relevant));
      BY_TREC_NAME.put(prefix + "P_10", Measure.p(10, relevant));
      BY_TREC_NAME.put(prefix + "recall_100", Measure.r(100, relevant));
    }
    BY_TREC_NAME.put("ndcg_cut_10", Measure.nDCG(10));
  }

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"dl19-bm25", "dl19-ties", "dl19-missing"})
  void agreesWithTrecEvalToEveryDigit(String name) throws IOException {
    assumeTrue(Files.exists(GOLDEN), "no " + GOLDEN + " to compare with");
    Path file = GOLDEN.resolve(name + ".run");
    Run run = Run.read(Files.exists(file) ? file : QRELS.resolveSibling("../bm25.run"));
    Map<String, Map<String, Integer>> qrels = Dataset.readQrels(QRELS);
    int compared = 0;
    for (String line : Files.readAllLines(GOLDEN.resolve(name + ".expected"))) {
      String[] columns = line.split("\\s+");
      double value = BY_TREC_NAME.get(columns[0]).mean(qrels, run);
      assertEquals(columns[2], "%.4f".formatted(value), name + " " + columns[0]);
      compared++;
    }
    assertEquals(9, compared);
    Map<String, Double> perQuery = Measure.nDCG(10).perQuery(qrels, run);
    for (String line : Files.readAllLines(GOLDEN.resolve(name + ".per-query"))) {
      String[] columns = line.split("\\s+");
      if (!columns[1].equals("all")) {
        assertEquals(columns[2], "%.4f".formatted(perQuery.get(columns[1])), name + " " + line);
      }
    }
  }

  private static final Map<String, Map<String, Integer>> BY_HAND =
      Map.of("q", Map.of("a", 3, "b", 1, "c", 2, "d", 0, "e", -1));

  private static Run ranking(String... ids) {
    List<Hit> hits = new ArrayList<>();
    for (int i = 0; i < ids.length; i++) {
      hits.add(new Hit(ids[i], ids.length - i));
    }
    return new Run(Map.of("q", hits));
  }

  private static double value(Measure measure, String... ids) {
    return measure.mean(BY_HAND, ranking(ids));
  }

  @Test
  void valuesWorkedOutByHand() {
    // gains 0 1 3 at ranks 1 2 3 over the ideal 3 2 1: (0.6309 + 1.5) / (3 + 1.2619 + 0.5)
    assertEquals(2.1309 / 4.7619, value(Measure.nDCG(10), "d", "b", "a"), 1e-4);
    assertEquals(0.6309 / (3 + 1.2619), value(Measure.nDCG(2), "d", "b", "a"), 1e-4);
    assertEquals(1, value(Measure.nDCG(10), "a", "c", "b"), 1e-12);
    assertEquals(0, value(Measure.nDCG(10), "e", "d", "x"), "negative grades count as 0");
    assertEquals(0.5, value(Measure.rr(10, 1), "d", "b", "a"));
    assertEquals(1 / 3d, value(Measure.rr(10, 2), "d", "b", "a"));
    assertEquals(0, value(Measure.rr(2, 2), "d", "b", "a"));
    // relevant at ranks 2 and 3 of 3: (1/2 + 2/3) / 3
    assertEquals((1 / 2d + 2 / 3d) / 3, value(Measure.ap(1000, 1), "d", "b", "a"), 1e-12);
    assertEquals(1 / 3d / 2, value(Measure.ap(1000, 2), "d", "b", "a"), 1e-12);
    assertEquals(2 / 3d, value(Measure.r(100, 1), "d", "b", "a"), 1e-12);
    assertEquals(0.2, value(Measure.p(10, 1), "d", "b", "a"), 1e-12);
    assertEquals(0.3, Measure.judged(10, BY_HAND, ranking("d", "b", "x", "a")), 1e-12);
  }

  @Test
  void missingQueriesCountAsZero() {
    Map<String, Map<String, Integer>> two = Map.of("q", BY_HAND.get("q"), "r", Map.of("a", 1));
    assertEquals(0.5, Measure.nDCG(10).mean(two, ranking("a", "c", "b")), 1e-12);
    Map<String, Map<String, Integer>> nothing = Map.of("q", Map.of("a", 0));
    assertEquals(0, Measure.nDCG(10).mean(nothing, ranking("a")));
  }

  @Test
  void tiesAreBrokenAsTrecEvalDoes() throws IOException {
    Path file = folder.resolve("ties.run");
    // ranks lie, scores tie: the greater id comes first
    Files.writeString(file, "q Q0 a 1 1.5 t\nq Q0 c 2 1.5 t\nq Q0 b 9 2.0 t\n");
    assertEquals(
        List.of("b", "c", "a"), Run.read(file).hits().get("q").stream().map(Hit::id).toList());
  }

  @Test
  void writtenRunsAreReadInTheirOrder() throws IOException {
    Path file = folder.resolve("new/deep.run");
    List<Hit> hits =
        List.of(
            new Hit("a", 2f),
            new Hit("b", 2f),
            new Hit("z", 2f),
            new Hit("c", -1f),
            new Hit("d", 5f));
    new Run(Map.of("q", hits)).write(file, "tag");
    assertEquals(
        List.of("a", "b", "z", "c", "d"),
        Run.read(file).hits().get("q").stream().map(Hit::id).toList());
    try (var files = Files.list(file.getParent())) {
      assertEquals(List.of(file), files.toList(), "no temporary file is left");
    }
  }

  @Test
  void namesAreThoseOfIrMeasures() {
    assertEquals("nDCG@10", Measure.nDCG(10).name());
    assertEquals("RR@10", Measure.rr(10, 1).name());
    assertEquals("RR(rel=2)@10", Measure.rr(10, 2).name());
    assertEquals("AP(rel=2)@1000", Measure.ap(1000, 2).name());
  }
}
