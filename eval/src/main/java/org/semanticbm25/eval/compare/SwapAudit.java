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

  /** A query with either word of a pair, and the one that it was made of. */
  public record Swap(WordPair pair, String source, String query, String swapped) {}

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

  /** How many swaps there are. */
  public int size() {
    return swaps.size();
  }

  /**
   * The queries with each pair's words: those that hold one word of it, which is swapped, and those
   * with the place holder {@code {}}, where either word is put. Queries with both words are left
   * out: to a bag of words a swap changes nothing there.
   */
  public static List<Swap> swaps(Collection<String> queries, List<WordPair> pairs) {
    Collection<Swap> swaps = new LinkedHashSet<>();
    for (String query : queries) {
      for (WordPair pair : pairs) {
        if (query.contains(PLACE)) {
          swaps.add(
              new Swap(
                  pair,
                  query,
                  query.replace(PLACE, pair.first),
                  query.replace(PLACE, pair.second)));
        } else if (holds(query, pair.first) != holds(query, pair.second)) {
          boolean first = holds(query, pair.first);
          String word = first ? pair.first : pair.second;
          String other = Matcher.quoteReplacement(first ? pair.second : pair.first);
          String swapped = wholeWord(word).matcher(query).replaceAll(other);
          swaps.add(new Swap(pair, query, query, swapped));
        }
      }
    }
    return List.copyOf(swaps);
  }

  private static boolean holds(String query, String word) {
    return wholeWord(word).matcher(query).find();
  }

  /** A word may begin or end with a sign, as C++ does. */
  private static Pattern wholeWord(String word) {
    return Pattern.compile(
        "(?iu)(?<![\\p{L}\\p{N}_])" + Pattern.quote(word) + "(?![\\p{L}\\p{N}_])");
  }

  /** Ranks all queries by a system, with either word. */
  public void add(String system, Ranker ranker) throws IOException {
    List<Change> found = new ArrayList<>();
    for (Swap swap : swaps) {
      found.add(change(ranker.rank(swap.query), ranker.rank(swap.swapped)));
    }
    changes.put(system, found);
  }

  private static Change change(List<String> before, List<String> after) {
    if (before.isEmpty() && after.isEmpty()) {
      return new Change(1, 1, true);
    }
    // the longer one is the reference: hits that are added are a change too
    boolean shrinks = before.size() >= after.size();
    List<String> longer = shrinks ? before : after;
    List<String> shorter = shrinks ? after : before;
    return new Change(
        Overlap.rankBiased(longer, shorter),
        Overlap.atTen(longer, shorter),
        before.stream().findFirst().equals(after.stream().findFirst()));
  }

  /**
   * What swaps do to each system: rank-biased overlap (persistence 0.9, first ten hits) with its 95
   * % interval over the queries that swaps were made of, share of the first ten hits that stay,
   * share of swaps that leave the first hit; 1 where nothing changes.
   */
  public Report bySystem() {
    Report report = new Report("swapped words");
    List<int[]> bySource = bySource();
    changes.forEach(
        (system, all) -> {
          report.put(system, "swaps", all.size());
          report.put(
              system,
              "RBO",
              Bootstrap.of(
                  bySource.size(),
                  drawn ->
                      mean(
                          Arrays.stream(drawn)
                              .flatMap(source -> Arrays.stream(bySource.get(source)))
                              .mapToDouble(i -> all.get(i).rankBiasedOverlap))));
          report.put(system, "overlap@10", mean(all.stream().mapToDouble(Change::overlap)));
          report.put(
              system, "same first", mean(all.stream().mapToDouble(c -> c.sameFirst ? 1 : 0)));
        });
    return report;
  }

  /** The numbers of the swaps of each query. */
  private List<int[]> bySource() {
    return swaps.stream()
        .map(Swap::source)
        .distinct()
        .map(
            source ->
                IntStream.range(0, swaps.size())
                    .filter(i -> swaps.get(i).source.equals(source))
                    .toArray())
        .toList();
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
