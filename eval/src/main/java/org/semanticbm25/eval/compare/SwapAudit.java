package org.semanticbm25.eval.compare;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.semanticbm25.eval.measure.Report;
import org.semanticbm25.onnx.distill.Bootstrap;

/**
 * How much a ranking changes when a word of the query is swapped for its counterpart, such as "he"
 * for "she".
 */
public final class SwapAudit {
  private static final String PLACE = "{}";

  private final List<Swap> swaps;
  private final Map<String, List<Change>> changes = new LinkedHashMap<>();

  /** Two words that should make no difference. */
  public record WordPair(String first, String second) {
    @Override
    public String toString() {
      return first + " / " + second;
    }
  }

  /** A query with either word of a pair. */
  public record Swap(WordPair pair, String query, String swapped) {}

  /** Ranks for a query: ids, best first. */
  @FunctionalInterface
  public interface Ranker {
    List<String> rank(String query) throws IOException;
  }

  /** What a swap does to the first hits of a system. */
  private record Change(double rankBiasedOverlap, double overlap, boolean sameFirst) {}

  public SwapAudit(List<Swap> swaps) {
    this.swaps = swaps;
  }

  /**
   * The queries with each pair's words: those that hold a word of it, which is swapped, and those
   * with the place holder {@code {}}, where either word is put.
   */
  public static List<Swap> swaps(Collection<String> queries, List<WordPair> pairs) {
    Collection<Swap> swaps = new LinkedHashSet<>();
    for (WordPair pair : pairs) {
      for (String query : queries) {
        String first = query.replace(PLACE, pair.first);
        String second =
            query.contains(PLACE) ? query.replace(PLACE, pair.second) : swapped(query, pair);
        if (!first.equals(second)) {
          swaps.add(new Swap(pair, first, second));
        }
      }
    }
    return List.copyOf(swaps);
  }

  private static String swapped(String query, WordPair pair) {
    return Pattern.compile(
            "(?iU)\\b(?:(%s)|%s)\\b"
                .formatted(Pattern.quote(pair.first), Pattern.quote(pair.second)))
        .matcher(query)
        .replaceAll(
            match -> Matcher.quoteReplacement(match.group(1) != null ? pair.second : pair.first));
  }

  /** Ranks all queries by a system, with either word. */
  public void add(String system, Ranker ranker) throws IOException {
    List<Change> found = new ArrayList<>();
    for (Swap swap : swaps) {
      List<String> before = ranker.rank(swap.query);
      List<String> after = ranker.rank(swap.swapped);
      found.add(
          before.isEmpty() && after.isEmpty()
              ? new Change(1, 1, true)
              : new Change(
                  Overlap.rankBiased(before, after),
                  Overlap.atTen(before, after),
                  before.stream().findFirst().equals(after.stream().findFirst())));
    }
    changes.put(system, found);
  }

  /**
   * What swaps do to each system: rank-biased overlap (persistence 0.9, first ten hits) with its 95
   * % interval over swaps, share of the first ten hits that stay, share of swaps that leave the
   * first hit; 1 where nothing changes.
   */
  public Report bySystem() {
    Report report = new Report("swapped words");
    changes.forEach(
        (system, all) -> {
          report.put(system, "swaps", all.size());
          report.put(
              system,
              "RBO",
              Bootstrap.of(
                  all.size(),
                  drawn -> {
                    double sum = 0;
                    for (int i : drawn) {
                      sum += all.get(i).rankBiasedOverlap;
                    }
                    return sum / drawn.length;
                  }));
          report.put(system, "overlap@10", mean(all.stream().mapToDouble(Change::overlap)));
          report.put(
              system, "same first", mean(all.stream().mapToDouble(c -> c.sameFirst ? 1 : 0)));
        });
    return report;
  }

  /** The mean rank-biased overlap of each pair, by system. */
  public Report byPair() {
    Report report = new Report("RBO by pair");
    for (WordPair pair : swaps.stream().map(Swap::pair).distinct().toList()) {
      int[] own =
          IntStream.range(0, swaps.size()).filter(i -> swaps.get(i).pair.equals(pair)).toArray();
      report.put(pair.toString(), "swaps", own.length);
      changes.forEach(
          (system, all) ->
              report.put(
                  pair.toString(),
                  system,
                  mean(Arrays.stream(own).mapToDouble(i -> all.get(i).rankBiasedOverlap))));
    }
    return report;
  }

  private static double mean(DoubleStream values) {
    return values.average().orElse(Double.NaN);
  }
}
