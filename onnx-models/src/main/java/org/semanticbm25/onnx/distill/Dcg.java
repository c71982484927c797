package org.semanticbm25.onnx.distill;

import java.util.function.IntToDoubleFunction;

/** Discounted cumulative gain, with linear gain and discount {@code log2(rank + 1)}. */
public final class Dcg {
  private Dcg() {}

  /**
   * The gain of a ranking.
   *
   * @param hits number of hits of the ranking
   * @param depth number of hits that count, from the first
   * @param gain of a hit by its place, from 0
   * @return sum of discounted gains
   */
  public static double of(int hits, int depth, IntToDoubleFunction gain) {
    double sum = 0;
    for (int i = 0; i < Math.min(hits, depth); i++) {
      sum += gain.applyAsDouble(i) * Math.log(2) / Math.log(i + 2d);
    }
    return sum;
  }
}
