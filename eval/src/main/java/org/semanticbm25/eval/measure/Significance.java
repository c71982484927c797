package org.semanticbm25.eval.measure;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.apache.commons.math3.stat.inference.TTest;

/** Whether a difference between systems may be chance. */
public final class Significance {
  private Significance() {}

  /**
   * Student's paired t-test over queries.
   *
   * @param a a measure by query
   * @param b the same measure of another system, in the same order
   * @return the two-sided p-value; 1 if the systems agree on every query
   * @throws IllegalArgumentException if there are fewer than 2 queries, or not as many of each
   */
  public static double paired(double[] a, double[] b) {
    if (a.length != b.length || a.length < 2) {
      throw new IllegalArgumentException(
          "illegal samples: %d and %d values, must be as many, and 2 or more"
              .formatted(a.length, b.length));
    }
    return Arrays.equals(a, b) ? 1 : new TTest().pairedTTest(a, b);
  }

  /**
   * Holm's correction for several tests at a time.
   *
   * @param p p-values
   * @return the adjusted p-values, in the same order
   */
  public static double[] holm(double... p) {
    int[] ascending =
        IntStream.range(0, p.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> p[i]))
            .mapToInt(i -> i)
            .toArray();
    double[] adjusted = new double[p.length];
    double least = 0;
    for (int rank = 0; rank < p.length; rank++) {
      least = Math.max(least, Math.min(1, (p.length - rank) * p[ascending[rank]]));
      adjusted[ascending[rank]] = least;
    }
    return adjusted;
  }
}
