package org.semanticbm25.eval.latency;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.apache.commons.math3.stat.StatUtils;
import org.semanticbm25.eval.collection.RankingSystem;

/**
 * Times systems against each other: each query is run by one system after the other, so that
 * whatever else the machine does hits all of them alike.
 *
 * @param times of all runs, by system, in nanoseconds
 * @param millis median time of each query, by system and query, in milliseconds
 */
public record Latency(List<Histogram> times, List<double[]> millis) {
  /** Rounds over all queries before those that count. */
  public static final int WARM_UP_ROUNDS = 3;

  /** Rounds over all queries that count. */
  public static final int ROUNDS = 5;

  private static final double NANOS = 1e6;

  /** Measures searches, analysis of the text included. */
  public static Latency measure(
      List<RankingSystem> systems, Collection<String> texts, TimedSearch search)
      throws IOException {
    double[][][] runs = new double[systems.size()][texts.size()][ROUNDS];
    List<Histogram> times = new ArrayList<>();
    systems.forEach(system -> times.add(new Histogram(Growth.DIGITS)));
    for (int round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
      int q = 0;
      for (String text : texts) {
        for (int s = 0; s < systems.size(); s++) {
          long start = System.nanoTime();
          RankingSystem system = systems.get(s);
          system.searcher().search(search.filtered(system.query(text)), search.hits());
          long nanos = System.nanoTime() - start;
          if (round >= 0) {
            runs[s][q][round] = nanos / NANOS;
            times.get(s).recordValue(nanos);
          }
        }
        q++;
      }
    }
    List<double[]> medians = new ArrayList<>();
    for (double[][] system : runs) {
      medians.add(Arrays.stream(system).mapToDouble(t -> StatUtils.percentile(t, 50)).toArray());
    }
    return new Latency(times, medians);
  }

  /** A percentile of all times of a system, in milliseconds. */
  public double percentile(int system, double percent) {
    return times.get(system).getValueAtPercentile(percent) / NANOS;
  }

  /** A percentile over queries of the ratio of two systems' median times. */
  public double ratio(int system, int reference, double percent) {
    double[] ratios = new double[millis.get(system).length];
    Arrays.setAll(ratios, q -> millis.get(system)[q] / millis.get(reference)[q]);
    return StatUtils.percentile(ratios, percent);
  }
}
