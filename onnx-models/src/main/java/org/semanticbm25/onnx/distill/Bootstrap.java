package org.semanticbm25.onnx.distill;

import java.util.Arrays;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import org.apache.commons.math3.stat.descriptive.rank.Percentile;

/**
 * A figure with the interval in which it would lie, 95 times of 100, had other queries been asked.
 *
 * @param value figure of the queries that were asked
 * @param low 2.5th percentile of the figure over the resamples
 * @param high 97.5th percentile, likewise
 */
public record Bootstrap(double value, double low, double high) {
  private static final int RESAMPLES = 1000;
  private static final double TAIL = 2.5;

  /**
   * Draws queries with replacement, a thousand times, and takes the middle 95 % of the figure.
   *
   * @param queries number of queries, at least 1
   * @param figure of some queries, given by number from 0, some of them repeatedly; resamples
   *     without a finite figure are left out
   * @return figure and interval, the same ones for the same input
   * @throws IllegalArgumentException if {@code queries} is less than 1
   */
  public static Bootstrap of(int queries, ToDoubleFunction<int[]> figure) {
    Random random = new Random(42);
    double[] resampled = new double[RESAMPLES];
    for (int i = 0; i < RESAMPLES; i++) {
      resampled[i] = figure.applyAsDouble(random.ints(queries, 0, queries).toArray());
    }
    int[] all = new int[queries];
    Arrays.setAll(all, query -> query);
    Percentile percentile = new Percentile();
    percentile.setData(Arrays.stream(resampled).filter(Double::isFinite).toArray());
    return new Bootstrap(
        figure.applyAsDouble(all), percentile.evaluate(TAIL), percentile.evaluate(100 - TAIL));
  }
}
