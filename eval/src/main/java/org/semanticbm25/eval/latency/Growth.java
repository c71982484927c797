package org.semanticbm25.eval.latency;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import org.HdrHistogram.Histogram;
import org.apache.commons.math3.stat.regression.SimpleRegression;

/**
 * How the time of a task grows with a size. The sizes are run in turn, so that whatever else the
 * machine does hits all of them alike.
 *
 * @param task what is timed
 * @param size what grows
 * @param runs of each size, those to warm up not counted
 * @param points a time for each size, the smallest first
 */
public record Growth(String task, String size, int runs, List<Point> points) {
  /** Significant digits of a histogram. */
  static final int DIGITS = 3;

  private static final double NANOS = 1e6;

  /**
   * Times of one size, in milliseconds.
   *
   * @param size number of what grows
   * @param p50 median
   * @param p95 95th percentile
   * @param p99 99th percentile
   */
  public record Point(int size, double p50, double p95, double p99) {}

  /** A run of a task. */
  @FunctionalInterface
  interface Trial<T> {
    /**
     * Does it once.
     *
     * @param subject of one size
     * @param round from 0; chooses what is worked on
     */
    void run(T subject, int round) throws IOException;
  }

  /** What is measured at one size. */
  private record Measured<T>(int size, T subject, Histogram times) {
    Point point() {
      return new Point(size, millis(50), millis(95), millis(99));
    }

    private double millis(double percent) {
      return times.getValueAtPercentile(percent) / NANOS;
    }
  }

  /**
   * Measures.
   *
   * @param subjects by size
   * @param warmUp rounds over all sizes before those that count
   * @param rounds that count
   */
  static <T> Growth measure(
      String task,
      String size,
      SortedMap<Integer, T> subjects,
      int warmUp,
      int rounds,
      Trial<T> trial)
      throws IOException {
    List<Measured<T>> all = new ArrayList<>();
    subjects.forEach((of, subject) -> all.add(new Measured<>(of, subject, new Histogram(DIGITS))));
    for (int round = 0; round < warmUp + rounds; round++) {
      for (Measured<T> each : all) {
        long start = System.nanoTime();
        trial.run(each.subject(), round);
        if (round >= warmUp) {
          each.times().recordValue(System.nanoTime() - start);
        }
      }
    }
    return new Growth(task, size, rounds, all.stream().map(Measured::point).toList());
  }

  /**
   * The exponent of growth, by least squares of the logarithm of the median time on that of the
   * size: 1 where time is proportional to the size.
   *
   * @return NaN for fewer than two sizes
   */
  public double slope() {
    SimpleRegression line = new SimpleRegression();
    points.forEach(point -> line.addData(Math.log(point.size()), Math.log(point.p50())));
    return line.getSlope();
  }
}
