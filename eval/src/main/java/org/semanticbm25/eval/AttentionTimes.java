package org.semanticbm25.eval;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.math3.stat.StatUtils;
import org.semanticbm25.onnx.AttentionModel;
import org.semanticbm25.onnx.AttentionScorer;
import org.semanticbm25.onnx.CrossEncoder;
import org.semanticbm25.onnx.NeuralModel;
import org.semanticbm25.onnx.PairSampler.Texts;

/** Times attention scorers of all depths against the cross-encoder, in turn in one process. */
final class AttentionTimes {
  static final int QUERIES = 6;
  private static final int WARM_UP = 1;
  private static final int ROUNDS = 5;

  private AttentionTimes() {}

  @FunctionalInterface
  private interface Scorer {
    float[] score(Texts texts) throws IOException;
  }

  /**
   * Times the first queries.
   *
   * @return the median time with one layer, two and so on, as a ratio to the cross-encoder's
   */
  static double[] measure(
      CrossEncoder encoder, NeuralModel model, AttentionModel extracted, List<Texts> texts)
      throws IOException {
    List<AttentionScorer> opened = new ArrayList<>();
    int threads = Runtime.getRuntime().availableProcessors();
    try {
      List<Scorer> scorers = new ArrayList<>();
      scorers.add(pairs -> encoder.score(pairs.query(), pairs.passages()));
      for (int k = 1; k <= extracted.layers(); k++) {
        AttentionScorer scorer = AttentionScorer.open(model, extracted, k, threads);
        opened.add(scorer);
        scorers.add(pairs -> scorer.score(pairs.query(), pairs.passages()));
      }
      return ratios(scorers, texts.subList(0, Math.min(QUERIES, texts.size())));
    } finally {
      for (AttentionScorer scorer : opened) {
        scorer.close();
      }
    }
  }

  private static double[] ratios(List<Scorer> scorers, List<Texts> texts) throws IOException {
    double[][] ratios = new double[scorers.size() - 1][ROUNDS];
    for (int round = -WARM_UP; round < ROUNDS; round++) {
      double full = seconds(scorers.getFirst(), texts);
      for (int k = 0; k < ratios.length; k++) {
        double part = seconds(scorers.get(k + 1), texts);
        if (round >= 0) {
          ratios[k][round] = part / full;
        }
      }
    }
    double[] medians = new double[ratios.length];
    for (int k = 0; k < medians.length; k++) {
      medians[k] = StatUtils.percentile(ratios[k], 50);
    }
    return medians;
  }

  private static double seconds(Scorer scorer, List<Texts> texts) throws IOException {
    long start = System.nanoTime();
    for (Texts pairs : texts) {
      scorer.score(pairs);
    }
    return (System.nanoTime() - start) / 1e9;
  }
}
