package org.semanticbm25.onnx.distill;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.apache.commons.math3.stat.correlation.PearsonsCorrelation;
import org.apache.commons.math3.stat.ranking.NaturalRanking;
import org.semanticbm25.onnx.attention.AttentionFunction;

/**
 * How well scores agree with the logits of a cross-encoder on the same pairs, some of each query.
 *
 * <ul>
 *   <li>Pearson's and Spearman's correlation over the pairs of all queries together.
 *   <li>Pearson's correlation over the pairs of a query, mean over queries: what matters to a
 *       ranking.
 *   <li>Alignment: nDCG@10 of the ranking by scores, where the gain of a passage is the share of
 *       the other passages that the cross-encoder ranks below it; mean over queries whose logits
 *       are not all alike. Beside it what a random order has.
 * </ul>
 */
public final class Agreement {
  private static final int DEPTH = 10;

  private final List<double[]> scores = new ArrayList<>();
  private final List<double[]> logits = new ArrayList<>();

  /** Begins without queries. */
  public Agreement() {}

  /**
   * How far a function of attention agrees with the logits of some samples.
   *
   * @param function scores the pairs of each sample
   * @param samples a query each
   * @return the agreement over these queries
   */
  public static Agreement of(AttentionFunction function, List<PairSample> samples) {
    Agreement agreement = new Agreement();
    for (PairSample sample : samples) {
      agreement.add(
          sample.masses().stream().mapToDouble(function::score).toArray(), sample.logits());
    }
    return agreement;
  }

  /**
   * Adds a query.
   *
   * @param queryScores by passage of the query
   * @param queryLogits of the same passages, in the same order
   * @throws IllegalArgumentException if a score is no number
   */
  public void add(double[] queryScores, float[] queryLogits) {
    if (DoubleStream.of(queryScores).anyMatch(Double::isNaN)) {
      throw new IllegalArgumentException("a score is no number: " + Arrays.toString(queryScores));
    }
    scores.add(queryScores);
    logits.add(IntStream.range(0, queryLogits.length).mapToDouble(i -> queryLogits[i]).toArray());
  }

  /**
   * Number of queries that were added.
   *
   * @return 0 or more
   */
  public int queries() {
    return scores.size();
  }

  /**
   * Pearson's correlation over the pairs of all queries.
   *
   * @return in [-1, 1]; 0 for fewer than two pairs, or if scores or logits are all alike
   */
  public double pearson() {
    return pearson(IntStream.range(0, queries()).toArray());
  }

  /**
   * Alignment of each query; NaN where the cross-encoder prefers nothing.
   *
   * @return in [0, 1], in the order in which the queries were added
   */
  public double[] alignments() {
    return IntStream.range(0, queries()).mapToDouble(this::alignment).toArray();
  }

  /**
   * Mean alignment.
   *
   * @return in [0, 1]; 1 if the cross-encoder prefers nothing in any query
   */
  public double alignment() {
    return alignment(IntStream.range(0, queries()).toArray());
  }

  /**
   * Spearman's correlation over the pairs of all queries.
   *
   * @return in [-1, 1]; 0 as {@link #pearson()}
   */
  public double spearman() {
    return spearman(IntStream.range(0, queries()).toArray());
  }

  /**
   * Pearson's correlation over the pairs of a query, mean over queries of two pairs or more.
   *
   * @return in [-1, 1]
   */
  public double within() {
    return within(IntStream.range(0, queries()).toArray());
  }

  private double pearson(int... queries) {
    return correlation(concatenate(scores, queries), concatenate(logits, queries));
  }

  private double spearman(int... queries) {
    double[] own = concatenate(scores, queries);
    if (own.length < 2) {
      return 0;
    }
    NaturalRanking ranking = new NaturalRanking();
    return correlation(ranking.rank(own), ranking.rank(concatenate(logits, queries)));
  }

  private static double correlation(double[] a, double[] b) {
    double r = a.length < 2 ? 0 : new PearsonsCorrelation().correlation(a, b);
    // scores that are all alike tell nothing
    return Double.isNaN(r) ? 0 : r;
  }

  private double within(int... queries) {
    return IntStream.of(queries)
        .filter(query -> scores.get(query).length > 1)
        .mapToDouble(query -> correlation(scores.get(query), logits.get(query)))
        .average()
        .orElse(0);
  }

  private double alignment(int... queries) {
    return IntStream.of(queries)
        .mapToDouble(this::alignment)
        .filter(Double::isFinite)
        .average()
        .orElse(1);
  }

  /** Alignment of a query, NaN if the cross-encoder prefers nothing. */
  private double alignment(int query) {
    double[] gains = gains(logits.get(query));
    return dcg(ranked(scores.get(query)), gains) / dcg(ranked(logits.get(query)), gains);
  }

  /** What the alignment of random orders is in the mean. */
  private double chance(int... queries) {
    return IntStream.of(queries)
        .mapToDouble(this::chance)
        .filter(Double::isFinite)
        .average()
        .orElse(1);
  }

  private double chance(int query) {
    double[] gains = gains(logits.get(query));
    double[] alike = new double[gains.length];
    Arrays.fill(alike, DoubleStream.of(gains).average().orElse(0));
    int[] ideal = ranked(logits.get(query));
    return dcg(ideal, alike) / dcg(ideal, gains);
  }

  private static double[] gains(double[] logits) {
    double[] gains = new double[logits.length];
    for (int i = 0; i < gains.length; i++) {
      double logit = logits[i];
      double below = IntStream.range(0, logits.length).filter(j -> logits[j] < logit).count();
      gains[i] = below / Math.max(1, logits.length - 1);
    }
    return gains;
  }

  private static int[] ranked(double[] values) {
    return IntStream.range(0, values.length)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> -values[i]))
        .mapToInt(i -> i)
        .toArray();
  }

  private static double dcg(int[] ranked, double[] gains) {
    return Dcg.of(ranked.length, DEPTH, rank -> gains[ranked[rank]]);
  }

  private static double[] concatenate(List<double[]> parts, int... queries) {
    return IntStream.of(queries)
        .boxed()
        .flatMapToDouble(query -> Arrays.stream(parts.get(query)))
        .toArray();
  }

  /**
   * Pearson's correlation over the pairs of all queries.
   *
   * @return the figure and its interval over queries
   * @throws IllegalArgumentException if there are no queries
   */
  public Bootstrap pearsonInterval() {
    return Bootstrap.of(queries(), this::pearson);
  }

  /**
   * Spearman's correlation over the pairs of all queries.
   *
   * @return the figure and its interval over queries
   * @throws IllegalArgumentException if there are no queries
   */
  public Bootstrap spearmanInterval() {
    return Bootstrap.of(queries(), this::spearman);
  }

  /**
   * Pearson's correlation within a query, mean over queries.
   *
   * @return the figure and its interval over queries
   * @throws IllegalArgumentException if there are no queries
   */
  public Bootstrap withinInterval() {
    return Bootstrap.of(queries(), this::within);
  }

  /**
   * Mean alignment.
   *
   * @return the figure and its interval over queries
   * @throws IllegalArgumentException if there are no queries
   */
  public Bootstrap alignmentInterval() {
    return Bootstrap.of(queries(), this::alignment);
  }

  /**
   * What the alignment of random orders is in the mean.
   *
   * @return in (0, 1]
   */
  public double alignmentByChance() {
    return chance(IntStream.range(0, queries()).toArray());
  }
}
