package org.semanticbm25.eval.compare;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.semanticbm25.eval.collection.Run;
import org.semanticbm25.eval.collection.Run.Hit;

/** How far the beginnings of two rankings agree, whatever the scores. */
public final class Overlap {
  /** Hits that are looked at. */
  static final int DEPTH = 10;

  // on average ten hits are looked at
  private static final double PERSISTENCE = 0.9;

  private Overlap() {}

  /** Share of the reference's first ten hits that are among the first ten of a ranking. */
  static double atTen(List<String> reference, List<String> ranking) {
    int depth = Math.min(DEPTH, reference.size());
    return depth == 0 ? 0 : (double) common(reference, ranking, DEPTH) / depth;
  }

  private static int common(List<String> a, List<String> b, int depth) {
    Set<String> first = new HashSet<>(a.subList(0, Math.min(depth, a.size())));
    first.retainAll(b.subList(0, Math.min(depth, b.size())));
    return first.size();
  }

  /**
   * Rank-biased overlap with persistence 0.9, extrapolated from the reference's first ten hits
   * (Webber, Moffat and Zobel, A similarity measure for indefinite rankings, 2010): {@code X_k/k
   * p^k + (1-p)/p sum over d of X_d/d p^d}, where X_d hits are common to the first d.
   *
   * @return in [0, 1]; 0 if the reference is empty
   */
  public static double rankBiased(List<String> reference, List<String> ranking) {
    int depth = Math.min(DEPTH, reference.size());
    if (depth == 0) {
      return 0;
    }
    double sum = 0;
    for (int d = 1; d <= depth; d++) {
      sum += common(reference, ranking, d) * Math.pow(PERSISTENCE, d) / d;
    }
    return common(reference, ranking, depth) * Math.pow(PERSISTENCE, depth) / depth
        + (1 - PERSISTENCE) / PERSISTENCE * sum;
  }

  /** The mean over the queries of which the reference has hits; not a number if there are none. */
  public static double rankBiased(Run reference, Run ranking) {
    return reference.hits().entrySet().stream()
        .filter(query -> !query.getValue().isEmpty())
        .mapToDouble(
            query ->
                rankBiased(
                    ids(query.getValue()),
                    ids(ranking.hits().getOrDefault(query.getKey(), List.of()))))
        .average()
        .orElse(Double.NaN);
  }

  private static List<String> ids(List<Hit> hits) {
    return hits.stream().map(Hit::id).toList();
  }
}
