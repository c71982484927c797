package org.semanticbm25.onnx.distill;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.EigenDecomposition;
import org.semanticbm25.similarity.model.TermProjection;

/**
 * The untrained projection: hidden states of words, seen from their mean, along the axes in which
 * they differ most. All words weigh the same. States of a late layer have most of their length in
 * common, so that without the mean every word would be near every other.
 */
final class PrincipalAxes {
  private static final int DIMENSIONS = 128;

  private PrincipalAxes() {}

  /**
   * Finds mean and axes.
   *
   * @param states of words, at least one; zeros are left out
   */
  static TermProjection of(float[][] states) {
    int hidden = states[0].length;
    TermProjection plain = TermProjection.identity(hidden);
    List<float[]> units =
        Arrays.stream(states).map(plain::centred).filter(PrincipalAxes::isNotZero).toList();
    float[] center = new float[hidden];
    for (float[] unit : units) {
      for (int h = 0; h < hidden; h++) {
        center[h] += unit[h] / units.size();
      }
    }
    int dimensions = Math.min(DIMENSIONS, hidden);
    TermProjection centred = new TermProjection(center, new float[hidden][1], new float[hidden]);
    List<float[]> directions = units.stream().map(centred::centred).toList();
    return new TermProjection(center, leading(directions, hidden, dimensions), new float[hidden]);
  }

  private static boolean isNotZero(float[] vector) {
    for (float component : vector) {
      if (component != 0f) {
        return true;
      }
    }
    return false;
  }

  /** Eigenvectors of the directions' Gram matrix with the largest eigenvalues, as columns. */
  private static float[][] leading(List<float[]> directions, int hidden, int dimensions) {
    float[][] matrix = new float[hidden][dimensions];
    if (directions.isEmpty()) {
      return matrix;
    }
    EigenDecomposition eigen =
        new EigenDecomposition(new Array2DRowRealMatrix(IdfDirection.gram(directions), false));
    double[] values = eigen.getRealEigenvalues();
    int[] order =
        IntStream.range(0, hidden)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> -values[i]))
            .mapToInt(i -> i)
            .toArray();
    for (int d = 0; d < dimensions; d++) {
      double[] axis = eigen.getEigenvector(order[d]).toArray();
      for (int h = 0; h < hidden; h++) {
        matrix[h][d] = (float) axis[h];
      }
    }
    return matrix;
  }
}
