package org.semanticbm25.eval.latency;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.apache.commons.math3.stat.StatUtils;
import org.semanticbm25.eval.collection.RankingSystem;

/**
 * Times systems against each other: each query is run by one system after the other, so that
 * whatever else the machine does hits all of them alike.
 *
 * @param millis median time of each query, by system and query, in milliseconds
 */
public record Latency(List<double[]> millis) {
  private static final int WARM_UP_ROUNDS = 3;
  private static final int ROUNDS = 5;

  /** Measures top-{@code depth} searches, analysis of the text included. */
  public static Latency measure(List<RankingSystem> systems, Collection<String> texts, int depth)
      throws IOException {
    double[][][] times = new double[systems.size()][texts.size()][ROUNDS];
    for (int round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
      int q = 0;
      for (String text : texts) {
        for (int s = 0; s < systems.size(); s++) {
          long start = System.nanoTime();
          RankingSystem system = systems.get(s);
          system.searcher().search(system.query(text), depth);
          if (round >= 0) {
            times[s][q][round] = (System.nanoTime() - start) / 1e6;
          }
        }
        q++;
      }
    }
    List<double[]> medians = new ArrayList<>();
    for (double[][] system : times) {
      medians.add(Arrays.stream(system).mapToDouble(t -> StatUtils.percentile(t, 50)).toArray());
    }
    return new Latency(medians);
  }

  /** A percentile of a system's median times, in milliseconds. */
  public double percentile(int system, double percent) {
    return StatUtils.percentile(millis.get(system), percent);
  }

  /** The median over queries of the ratio of two systems' times. */
  public double medianRatio(int system, int reference) {
    double[] ratios = new double[millis.get(system).length];
    Arrays.setAll(ratios, q -> millis.get(system)[q] / millis.get(reference)[q]);
    return StatUtils.percentile(ratios, 50);
  }
}
