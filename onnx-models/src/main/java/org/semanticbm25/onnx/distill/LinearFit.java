package org.semanticbm25.onnx.distill;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.apache.commons.math3.linear.CholeskyDecomposition;
import org.apache.commons.math3.linear.RealMatrix;
import org.apache.commons.math3.linear.RealVector;
import org.apache.commons.math3.stat.descriptive.MultivariateSummaryStatistics;
import org.jspecify.annotations.Nullable;

/**
 * Least squares with a ridge, for any choice of features, from the moments of the data: rows are
 * seen once and not kept. Columns and target are standardised, so a ridge of 1 halves a feature
 * that stands alone; columns that never change get weight 0.
 *
 * <p>Not thread-safe.
 */
public final class LinearFit {
  private static final double ROUNDING = 1e-12;

  private final int features;
  private final MultivariateSummaryStatistics statistics;
  // null while rows are added
  private @Nullable Moments moments;

  /** Means and covariance of the features and, behind them, of the target. */
  private record Moments(RealVector means, RealMatrix covariance) {
    double deviation(int column) {
      double mean = means.getEntry(column);
      double variance = covariance.getEntry(column, column);
      // rounding leaves a constant with a little, above zero or below
      return variance > ROUNDING * mean * mean ? Math.sqrt(variance) : 0;
    }

    double correlation(int i, int j) {
      double scale = deviation(i) * deviation(j);
      return scale == 0 ? 0 : covariance.getEntry(i, j) / scale;
    }
  }

  /**
   * A linear function of some features.
   *
   * @param intercept value where all features are 0
   * @param columns features that it reads
   * @param weights of these features
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Line(double intercept, int[] columns, double[] weights) {
    /**
     * The value at a row of features.
     *
     * @param row all features, not only those that the line reads
     * @return intercept plus weighted features
     */
    public double at(double[] row) {
      double value = intercept;
      for (int i = 0; i < columns.length; i++) {
        value += weights[i] * row[columns[i]];
      }
      return value;
    }
  }

  /**
   * Begins without rows.
   *
   * @param features number of features of a row
   */
  public LinearFit(int features) {
    this.features = features;
    this.statistics = new MultivariateSummaryStatistics(features + 1, false);
  }

  /**
   * Number of rows.
   *
   * @return 0 or more
   */
  public long rows() {
    return statistics.getN();
  }

  /**
   * Adds a row and what it should give.
   *
   * @param row as many features as were said
   * @param target what a line should give at the row
   * @throws IllegalArgumentException if the row has more or fewer features than was said
   */
  public void add(double[] row, double target) {
    if (row.length != features) {
      throw new IllegalArgumentException(
          "a row has %s features, not %s".formatted(row.length, features));
    }
    double[] both = Arrays.copyOf(row, features + 1);
    both[features] = target;
    statistics.addValue(both);
    moments = null;
  }

  private Moments moments() {
    if (moments == null) {
      RealVector means = new ArrayRealVector(statistics.getMean(), false);
      moments = new Moments(means, statistics.getCovariance());
    }
    return moments;
  }

  /**
   * Fits all features.
   *
   * @param ridge greater than 0; 1e-8 is as good as none, and gives the shortest of the solutions
   *     where there are many
   * @return a line that reads all features
   * @throws IllegalStateException if there are fewer than two rows
   */
  public Line solve(double ridge) {
    return solve(IntStream.range(0, features).toArray(), ridge);
  }

  /**
   * Fits some features.
   *
   * @param columns numbers of the features, from 0; distinct
   * @param ridge greater than 0, see {@link #solve(double)}
   * @return a line that reads these features
   * @throws IllegalStateException if there are fewer than two rows
   */
  public Line solve(int[] columns, double ridge) {
    if (rows() < 2) {
      throw new IllegalStateException("cannot fit " + rows() + " rows; give at least 2");
    }
    Moments of = moments();
    double targetDeviation = of.deviation(features);
    int size = columns.length;
    double[][] correlations = new double[size][size];
    double[] right = new double[size];
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        correlations[i][j] = of.correlation(columns[i], columns[j]);
      }
      correlations[i][i] = 1 + ridge;
      right[i] = of.correlation(columns[i], features);
    }
    double[] weights =
        size == 0
            ? new double[0]
            : new CholeskyDecomposition(new Array2DRowRealMatrix(correlations, false), 1e-9, 0)
                .getSolver()
                .solve(new ArrayRealVector(right, false))
                .toArray();
    double intercept = of.means.getEntry(features);
    for (int i = 0; i < size; i++) {
      double deviation = of.deviation(columns[i]);
      weights[i] = deviation == 0 ? 0 : weights[i] * targetDeviation / deviation;
      intercept -= weights[i] * of.means.getEntry(columns[i]);
    }
    return new Line(intercept, columns.clone(), weights);
  }

  /**
   * Pearson's correlation between a line and the targets of the rows; 0 if either is constant.
   *
   * @param line over the features of the rows; it may have been fitted to other rows
   * @return in [-1, 1]
   */
  public double correlation(Line line) {
    Moments of = moments();
    double covariant = 0;
    double variance = 0;
    for (int i = 0; i < line.columns.length; i++) {
      covariant += line.weights[i] * of.covariance.getEntry(line.columns[i], features);
      for (int j = 0; j < line.columns.length; j++) {
        variance +=
            line.weights[i]
                * line.weights[j]
                * of.covariance.getEntry(line.columns[i], line.columns[j]);
      }
    }
    double scale = Math.sqrt(Math.max(0, variance)) * of.deviation(features);
    return scale == 0 ? 0 : covariant / scale;
  }
}
