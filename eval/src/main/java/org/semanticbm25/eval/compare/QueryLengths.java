package org.semanticbm25.eval.compare;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.semanticbm25.eval.compare.Comparison.LengthResult;
import org.semanticbm25.eval.compare.Comparison.QueryResult;

/** Measures by the length of the query: words are what white space parts. */
final class QueryLengths {
  private record Range(String name, int least, int most) {}

  // the last one sums up the long ones
  private static final List<Range> RANGES =
      List.of(
          new Range("up to 10", 0, 10),
          new Range("11 to 20", 11, 20),
          new Range("21 to 40", 21, 40),
          new Range("41 to 80", 41, 80),
          new Range("above 80", 81, Integer.MAX_VALUE),
          new Range("above 20, all", 21, Integer.MAX_VALUE));

  private static final Pattern WHITE_SPACE = Pattern.compile("(?U)\\s+");

  private QueryLengths() {}

  /** A result for each range of lengths that a query with values has. */
  static List<LengthResult> of(List<QueryResult> queries) {
    NavigableMap<Integer, List<Map<String, Double>>> byWords = new TreeMap<>();
    for (QueryResult query : queries) {
      if (!query.values().isEmpty()) {
        byWords.computeIfAbsent(words(query.text()), w -> new ArrayList<>()).add(query.values());
      }
    }
    List<LengthResult> results = new ArrayList<>();
    for (Range range : RANGES) {
      List<Map<String, Double>> values =
          byWords.subMap(range.least, true, range.most, true).values().stream()
              .flatMap(List::stream)
              .toList();
      if (!values.isEmpty()) {
        results.add(new LengthResult(range.name, values.size(), means(values)));
      }
    }
    return results;
  }

  private static int words(String query) {
    return (int) WHITE_SPACE.splitAsStream(query).filter(word -> !word.isEmpty()).count();
  }

  /** The means of the systems that all queries have, so that they compare. */
  private static Map<String, Double> means(List<Map<String, Double>> values) {
    Set<String> systems = new LinkedHashSet<>(values.getFirst().keySet());
    values.forEach(query -> systems.retainAll(query.keySet()));
    Map<String, Double> means = new LinkedHashMap<>();
    systems.forEach(
        system ->
            means.put(
                system, values.stream().collect(Collectors.averagingDouble(q -> q.get(system)))));
    return means;
  }
}
