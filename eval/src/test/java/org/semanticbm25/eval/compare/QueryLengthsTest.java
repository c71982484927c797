package org.semanticbm25.eval.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.semanticbm25.eval.compare.Comparison.Collection;
import org.semanticbm25.eval.compare.Comparison.LengthResult;
import org.semanticbm25.eval.compare.Comparison.QueryResult;
import org.semanticbm25.eval.compare.Comparison.SystemResult;

class QueryLengthsTest {
  private static QueryResult query(String text, Map<String, Double> values) {
    return new QueryResult(text, text, values, List.of(), Map.of(), Map.of());
  }

  private static QueryResult query(int words, double a, double b) {
    return query(" word\t word ".repeat(words / 2) + "x".repeat(words % 2), Map.of("a", a, "b", b));
  }

  @Test
  void meansOfEachRange() {
    List<LengthResult> results =
        QueryLengths.of(
            List.of(
                query(2, 0.2, 0.4),
                query(10, 0.4, 1),
                query(11, 0.1, 0.2),
                query(40, 0.5, 0.6),
                query(81, 0.7, 0.3)));
    assertEquals(
        List.of("up to 10 2", "11 to 20 1", "21 to 40 1", "above 80 1", "above 20, all 2"),
        results.stream().map(r -> r.words() + " " + r.queries()).toList());
    assertEquals(0.3, results.getFirst().means().get("a"), 1e-12);
    assertEquals(0.7, results.getFirst().means().get("b"), 1e-12);
    assertEquals(0.6, results.getLast().means().get("a"), 1e-12);
  }

  @Test
  void systemsCompareOnTheSameQueries() {
    List<LengthResult> results =
        QueryLengths.of(
            List.of(
                query("one", Map.of("a", 1d, "b", 0d)),
                query("two", Map.of("a", 0d)),
                query("nothing found", Map.of())));
    assertEquals(List.of(new LengthResult("up to 10", 2, Map.of("a", 0.5))), results);
  }

  private static Collection collection(String name, boolean judged, QueryResult... queries) {
    List<SystemResult> systems =
        List.of(queries).getFirst().values().keySet().stream()
            .sorted()
            .map(s -> new SystemResult(s, s, Map.of(), Map.of(), null, null, List.of()))
            .toList();
    List<QueryResult> all = List.of(queries);
    return new Collection(name, 9, 1, 1, judged, 9, "nDCG@10", systems, QueryLengths.of(all), all);
  }

  @Test
  void poolsWhatIsJudged() {
    Collection one = collection("one", true, query(3, 0.2, 0.4), query(50, 0.5, 0.1));
    Collection two = collection("two", true, query("one word", Map.of("a", 0.6)));
    Collection log = collection("log", false, query(3, 1, 1));
    List<String> rows =
        ComparisonFiles.lengthTable(List.of(one, two, log))
            .lines()
            .map(line -> line.replaceAll(" +", " "))
            .toList();
    assertEquals("collection words of the query queries measure a b", rows.getFirst());
    assertTrue(rows.contains("two up to 10 1 nDCG@10 0.6000 -"), rows::toString);
    assertTrue(rows.contains("all queries up to 10 2 nDCG@10 0.4000 -"), rows::toString);
    assertTrue(rows.contains("all queries above 20, all 1 nDCG@10 0.5000 0.1000"), rows::toString);
    assertTrue(
        ComparisonFiles.lengthTable(List.of(one, log)).lines().noneMatch(l -> l.startsWith("all")));
  }

  @Test
  void noQueries() {
    assertTrue(QueryLengths.of(List.of()).isEmpty());
  }
}
