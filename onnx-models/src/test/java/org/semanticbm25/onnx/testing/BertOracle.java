package org.semanticbm25.onnx.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * BERT's forward pass written out in double precision, from its definition and not from a graph:
 * what {@link TinyBert} should give.
 */
public final class BertOracle {
  private final TinyBert.Shape shape;
  private final Map<String, float[]> weights;
  private final int hidden;

  public BertOracle(TinyBert model) {
    this.shape = model.shape;
    this.weights = model.weights;
    this.hidden = shape.hidden();
  }

  /**
   * What comes out.
   *
   * @param attention {@code [layer * heads + head][from][to]}
   * @param states hidden ones, by layer and token
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Result(double logit, double[][][] attention, List<double[][]> states) {}

  /** Runs one sequence, without padding. */
  public Result run(int[] ids, int[] types) {
    double[][] states = new double[ids.length][];
    for (int t = 0; t < ids.length; t++) {
      states[t] = new double[hidden];
      for (int d = 0; d < hidden; d++) {
        states[t][d] =
            weights.get("embeddings.word_embeddings.weight")[ids[t] * hidden + d]
                + weights.get("embeddings.position_embeddings.weight")[t * hidden + d]
                + weights.get("embeddings.token_type_embeddings.weight")[types[t] * hidden + d];
      }
      states[t] = layerNorm("embeddings.LayerNorm", states[t]);
    }
    double[][][] attention = new double[shape.layers() * shape.heads()][][];
    List<double[][]> byLayer = new ArrayList<>();
    for (int layer = 0; layer < shape.layers(); layer++) {
      states = layer("encoder.layer." + layer, states, attention, layer * shape.heads());
      byLayer.add(states);
    }
    double[] pooled = dense("pooler.dense", states[0], hidden);
    for (int d = 0; d < hidden; d++) {
      pooled[d] = Math.tanh(pooled[d]);
    }
    return new Result(dense("classifier", pooled, 1)[0], attention, byLayer);
  }

  private double[][] layer(String name, double[][] states, double[][][] attention, int firstHead) {
    int length = states.length;
    double[][] query = new double[length][];
    double[][] key = new double[length][];
    double[][] value = new double[length][];
    for (int t = 0; t < length; t++) {
      query[t] = dense(name + ".attention.self.query", states[t], hidden);
      key[t] = dense(name + ".attention.self.key", states[t], hidden);
      value[t] = dense(name + ".attention.self.value", states[t], hidden);
    }
    double[][] context = new double[length][hidden];
    for (int head = 0; head < shape.heads(); head++) {
      attention[firstHead + head] = attend(query, key, value, context, head * shape.headWidth());
    }
    double[][] out = new double[length][];
    for (int t = 0; t < length; t++) {
      double[] attended = dense(name + ".attention.output.dense", context[t], hidden);
      attended = layerNorm(name + ".attention.output.LayerNorm", sum(attended, states[t]));
      double[] wide = dense(name + ".intermediate.dense", attended, shape.width());
      for (int d = 0; d < wide.length; d++) {
        wide[d] = wide[d] * 0.5 * (1 + erf(wide[d] / Math.sqrt(2)));
      }
      out[t] =
          layerNorm(
              name + ".output.LayerNorm",
              sum(dense(name + ".output.dense", wide, hidden), attended));
    }
    return out;
  }

  private double[][] attend(
      double[][] query, double[][] key, double[][] value, double[][] context, int offset) {
    int length = query.length;
    double[][] probabilities = new double[length][length];
    for (int from = 0; from < length; from++) {
      double total = 0;
      for (int to = 0; to < length; to++) {
        double product = 0;
        for (int d = offset; d < offset + shape.headWidth(); d++) {
          product += query[from][d] * key[to][d];
        }
        probabilities[from][to] = Math.exp(product / Math.sqrt(shape.headWidth()));
        total += probabilities[from][to];
      }
      for (int to = 0; to < length; to++) {
        probabilities[from][to] /= total;
        for (int d = offset; d < offset + shape.headWidth(); d++) {
          context[from][d] += probabilities[from][to] * value[to][d];
        }
      }
    }
    return probabilities;
  }

  /** A dense layer of the model by its name. */
  public double[] dense(String name, double[] input, int out) {
    float[] matrix = weights.get(name + ".weight");
    float[] bias = weights.get(name + ".bias");
    double[] result = new double[out];
    for (int o = 0; o < out; o++) {
      result[o] = bias[o];
    }
    for (int i = 0; i < input.length; i++) {
      for (int o = 0; o < out; o++) {
        result[o] += input[i] * matrix[i * out + o];
      }
    }
    return result;
  }

  private double[] layerNorm(String name, double[] x) {
    double mean = 0;
    for (double v : x) {
      mean += v / hidden;
    }
    double variance = 0;
    for (double v : x) {
      variance += (v - mean) * (v - mean) / hidden;
    }
    double[] result = new double[hidden];
    for (int d = 0; d < hidden; d++) {
      result[d] =
          (x[d] - mean) / Math.sqrt(variance + 1e-12) * weights.get(name + ".weight")[d]
              + weights.get(name + ".bias")[d];
    }
    return result;
  }

  private static double[] sum(double[] a, double[] b) {
    double[] result = new double[a.length];
    for (int d = 0; d < a.length; d++) {
      result[d] = a[d] + b[d];
    }
    return result;
  }

  private static double erf(double x) {
    return org.apache.commons.math3.special.Erf.erf(x);
  }
}
