package org.semanticbm25.onnx.distill;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.apache.commons.math3.linear.CholeskyDecomposition;
import org.apache.commons.math3.stat.StatUtils;
import org.semanticbm25.onnx.attention.AttentionFunction;
import org.semanticbm25.onnx.attention.AttentionTaps.Mass;

/**
 * Function and protocol as Lu, Chen and Eickhoff released them (EMNLP 2025): for each query
 * position the token's idf, the attention of every matching head, and their product; a regression
 * for each query length; four fifths of the <em>rows</em>, pairs of a query and a passage, for
 * fitting and one fifth for measuring. The same query is therefore on both sides, and long queries
 * have more weights than rows: kept for comparison, see {@link AttentionFunction} for what we make
 * of it.
 *
 * <p>Least squares on standardised columns; where there are more weights than rows, the shortest
 * solution.
 */
public final class PaperProtocol {
  /** The matching heads that the authors found in ms-marco-MiniLM-L-12-v2, as layer and head. */
  public static final List<int[]> HEADS_OF_MINILM_L12 =
      List.of(
          new int[] {7, 9},
          new int[] {8, 1},
          new int[] {4, 9},
          new int[] {2, 1},
          new int[] {8, 8},
          new int[] {6, 5},
          new int[] {1, 7},
          new int[] {5, 7},
          new int[] {5, 9},
          new int[] {3, 1},
          new int[] {8, 0},
          new int[] {6, 3},
          new int[] {0, 8});

  private static final long SEED = 42;
  private static final double TRAIN_SHARE = 0.8;
  private static final double RIDGE = 1e-8;

  private PaperProtocol() {}

  /**
   * A pair that was measured.
   *
   * @param sample number of its query's sample
   * @param logit of the cross-encoder
   * @param predicted by the function
   */
  public record Row(int sample, float logit, double predicted) {}

  @SuppressWarnings("ArrayRecordComponent")
  private record Pair(int sample, double[] features, float logit) {}

  /**
   * Fits and predicts.
   *
   * @param samples with attention of all layers that the heads are of
   * @param idf by token id
   * @param heads that take part, by number
   * @param withSeparator whether attention to the final {@code [SEP]} counts, as it did there
   * @return the rows that were not fitted, but for those of lengths with fewer than two fitted rows
   */
  public static List<Row> run(
      List<PairSample> samples, float[] idf, List<Integer> heads, boolean withSeparator) {
    List<Pair> rows = new ArrayList<>();
    for (int sample = 0; sample < samples.size(); sample++) {
      for (int i = 0; i < samples.get(sample).logits().length; i++) {
        double[] features =
            features(samples.get(sample).masses().get(i), idf, heads, withSeparator);
        rows.add(new Pair(sample, features, samples.get(sample).logits()[i]));
      }
    }
    Collections.shuffle(rows, new Random(SEED));
    int train = (int) Math.round(TRAIN_SHARE * rows.size());
    Map<Integer, Line> lines = lines(rows.subList(0, train));
    List<Row> measured = new ArrayList<>();
    for (Pair row : rows.subList(train, rows.size())) {
      Line line = lines.get(row.features.length);
      if (line != null) {
        measured.add(new Row(row.sample, row.logit, line.at(row.features)));
      }
    }
    return List.copyOf(measured);
  }

  /** For each number of features a line, if there are rows enough. */
  private static Map<Integer, Line> lines(List<Pair> rows) {
    Map<Integer, List<Pair>> byFeatures = new TreeMap<>();
    for (Pair row : rows) {
      byFeatures.computeIfAbsent(row.features.length, f -> new ArrayList<>()).add(row);
    }
    Map<Integer, Line> lines = new TreeMap<>();
    byFeatures.forEach(
        (features, some) -> {
          if (some.size() > 1) {
            lines.put(features, Line.fit(some));
          }
        });
    return lines;
  }

  /** A linear function of the features. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Line(double intercept, double[] weights) {
    double at(double[] features) {
      double value = intercept;
      for (int i = 0; i < weights.length; i++) {
        value += weights[i] * features[i];
      }
      return value;
    }

    /**
     * Ridge regression on standardised features in its dual form, which has an equation for each
     * row: the features of a long query are thousands, its rows a few.
     */
    static Line fit(List<Pair> rows) {
      int width = rows.getFirst().features.length;
      double[][] columns = new double[width][];
      double[] means = new double[width];
      double[] deviations = new double[width];
      for (int f = 0; f < width; f++) {
        int feature = f;
        double[] column = rows.stream().mapToDouble(row -> row.features[feature]).toArray();
        means[f] = StatUtils.mean(column);
        deviations[f] = Math.sqrt(StatUtils.variance(column));
        // a feature that is always the same tells nothing
        double scale = deviations[f] == 0 ? 0 : 1 / deviations[f];
        double mean = means[f];
        columns[f] = Arrays.stream(column).map(value -> (value - mean) * scale).toArray();
      }
      double[] logits = rows.stream().mapToDouble(Pair::logit).toArray();
      double[] dual = solve(columns, logits);
      double[] weights = new double[width];
      double intercept = StatUtils.mean(logits);
      for (int f = 0; f < width; f++) {
        for (int i = 0; i < dual.length && deviations[f] > 0; i++) {
          weights[f] += dual[i] * columns[f][i] / deviations[f];
        }
        intercept -= weights[f] * means[f];
      }
      return new Line(intercept, weights);
    }

    /** Solves {@code (Z Z' + ridge * (rows - 1)) x = y - mean(y)}; Z is given by its columns. */
    private static double[] solve(double[][] columns, double[] logits) {
      int size = logits.length;
      double[][] products = new double[size][size];
      for (double[] column : columns) {
        for (int i = 0; i < size; i++) {
          for (int j = 0; j < size; j++) {
            products[i][j] += column[i] * column[j];
          }
        }
      }
      for (int i = 0; i < size; i++) {
        products[i][i] += RIDGE * (size - 1);
      }
      double mean = StatUtils.mean(logits);
      return new CholeskyDecomposition(new Array2DRowRealMatrix(products, false), 1e-9, 0)
          .getSolver()
          .solve(new ArrayRealVector(logits).mapSubtract(mean))
          .toArray();
    }
  }

  /** For each query token: idf, and for each head mass and idf times mass. */
  static double[] features(Mass mass, float[] idf, List<Integer> heads, boolean withSeparator) {
    int perToken = 1 + 2 * heads.size();
    double[] features = new double[mass.queryTokens().length * perToken];
    for (int i = 0; i < mass.queryTokens().length; i++) {
      double tokenIdf = idf[mass.queryTokens()[i]];
      features[i * perToken] = tokenIdf;
      for (int h = 0; h < heads.size(); h++) {
        double m = mass.of(heads.get(h), i);
        m += withSeparator ? mass.toSeparator(heads.get(h), i) : 0;
        features[i * perToken + 1 + 2 * h] = m;
        features[i * perToken + 2 + 2 * h] = tokenIdf * m;
      }
    }
    return features;
  }
}
