package org.semanticbm25.eval.study;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.math3.stat.StatUtils;
import org.semanticbm25.onnx.attention.AttentionModel;
import org.semanticbm25.onnx.attention.AttentionScorer;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.distill.PairSampler.PassageList;
import org.semanticbm25.onnx.hub.NeuralModel;

/** Times attention scorers of all depths against the cross-encoder, in turn in one process. */
public final class AttentionTimes {
  static final int QUERIES = 6;
  private static final int WARM_UP = 1;
  private static final int ROUNDS = 5;

  private AttentionTimes() {}

  @FunctionalInterface
  private interface Scorer {
    float[] score(PassageList texts) throws IOException;
  }

  /**
   * Times the first queries.
   *
   * @return the median time with one layer, two and so on, as a ratio to the cross-encoder's
   */
  public static double[] measure(
      CrossEncoder encoder, NeuralModel model, AttentionModel extracted, List<PassageList> texts)
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

  private static double[] ratios(List<Scorer> scorers, List<PassageList> texts) throws IOException {
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

  private static double seconds(Scorer scorer, List<PassageList> texts) throws IOException {
    long start = System.nanoTime();
    for (PassageList pairs : texts) {
      scorer.score(pairs);
    }
    return (System.nanoTime() - start) / 1e9;
  }
}
