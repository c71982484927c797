package org.semanticbm25.onnx.distill;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.semanticbm25.onnx.attention.AttentionFunction;
import org.semanticbm25.onnx.attention.AttentionTaps.Mass;
import org.semanticbm25.onnx.distill.LinearFit.Line;

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
    Map<Integer, LinearFit> fits = new TreeMap<>();
    for (Pair row : rows) {
      fits.computeIfAbsent(row.features.length, LinearFit::new).add(row.features, row.logit);
    }
    Map<Integer, Line> lines = new TreeMap<>();
    fits.forEach(
        (features, fit) -> {
          if (fit.rows() > 1) {
            lines.put(features, fit.solve(RIDGE));
          }
        });
    return lines;
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
