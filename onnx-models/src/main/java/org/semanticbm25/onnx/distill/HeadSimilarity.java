package org.semanticbm25.onnx.distill;

import java.io.IOException;
import java.util.List;
import org.apache.commons.math3.stat.correlation.PearsonsCorrelation;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.attention.AttentionTaps;
import org.semanticbm25.onnx.distill.PairSampler.PassageList;

/**
 * How well the attention of a head follows similarity: Pearson's correlation, over the tokens of a
 * passage, of a query token's attention with the cosine of the two word embeddings; the mean over
 * query tokens and pairs. It is high in a matching head.
 */
public final class HeadSimilarity {
  private final AttentionTaps taps;
  private final float[][] unit;

  /**
   * Creates a measure of a model's heads.
   *
   * @param taps into the layers to measure; not closed here
   * @param embeddings word embeddings of the same model by token id, {@code [vocabulary][hidden]};
   *     copied
   */
  public HeadSimilarity(AttentionTaps taps, float[][] embeddings) {
    this.taps = taps;
    this.unit = new float[embeddings.length][];
    for (int id = 0; id < unit.length; id++) {
      double square = 0;
      for (float value : embeddings[id]) {
        square += value * value;
      }
      unit[id] = new float[embeddings[id].length];
      for (int d = 0; square > 0 && d < unit[id].length; d++) {
        unit[id][d] = (float) (embeddings[id][d] / Math.sqrt(square));
      }
    }
  }

  /**
   * Measures all heads.
   *
   * @param texts queries, of which the first passage is taken
   * @param progress notified of the pairs that are done
   * @return in [-1, 1], by head, layer after layer
   * @throws IOException if the model fails
   */
  public double[] of(List<PassageList> texts, Progress progress) throws IOException {
    double[] sums = new double[taps.layers() * taps.heads()];
    int rows = 0;
    for (int pair = 0; pair < texts.size(); pair++) {
      AttentionTaps.Matches matches =
          taps.matches(texts.get(pair).query(), texts.get(pair).passages().getFirst());
      if (matches.passageTokens().length > 1) {
        rows += matches.queryTokens().length;
        add(matches, sums);
      }
      progress.report("comparing attention with similarity", pair + 1, texts.size());
    }
    for (int head = 0; head < sums.length; head++) {
      sums[head] /= Math.max(1, rows);
    }
    return sums;
  }

  private void add(AttentionTaps.Matches matches, double[] sums) {
    int tokens = matches.passageTokens().length;
    double[] cosines = new double[tokens];
    double[] attention = new double[tokens];
    for (int i = 0; i < matches.queryTokens().length; i++) {
      for (int t = 0; t < tokens; t++) {
        cosines[t] = dot(unit[matches.queryTokens()[i]], unit[matches.passageTokens()[t]]);
      }
      for (int head = 0; head < sums.length; head++) {
        for (int t = 0; t < tokens; t++) {
          attention[t] = matches.attention()[head][i][t];
        }
        double correlation = new PearsonsCorrelation().correlation(cosines, attention);
        // a head that looks at all tokens alike follows nothing
        sums[head] += Double.isNaN(correlation) ? 0 : correlation;
      }
    }
  }

  private static double dot(float[] a, float[] b) {
    double dot = 0;
    for (int d = 0; d < a.length; d++) {
      dot += a[d] * b[d];
    }
    return dot;
  }
}
