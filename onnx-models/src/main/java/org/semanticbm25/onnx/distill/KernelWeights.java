package org.semanticbm25.onnx.distill;

import org.semanticbm25.similarity.model.ScoringParameters;
import org.semanticbm25.similarity.model.TermProjection;

/**
 * All that {@link KernelFit} learns as one vector: the projection's matrix {@code
 * [hidden][dimensions]}, its weight direction {@code [hidden]}, and six numbers, in forms that may
 * take any value where the function wants a positive one or one between 0 and 1.
 */
final class KernelWeights {
  /** Positions of the numbers after the weight direction. */
  static final int THRESHOLD = 0;

  static final int LOG_EXPONENT = 1;
  static final int LOGIT_SCALE = 2;
  static final int LOG_K1 = 3;
  static final int LOGIT_B = 4;
  static final int LOG_SHARPNESS = 5;

  /** How many of them there are. */
  static final int SCALARS = 6;

  private static final float MAX_THRESHOLD = 0.9f;
  private static final double EDGE = 0.01;

  private final int hidden;
  private final int dimensions;
  private final float[] values;

  private KernelWeights(int hidden, int dimensions, float[] values) {
    this.hidden = hidden;
    this.dimensions = dimensions;
    this.values = values;
  }

  static KernelWeights of(Kernel kernel) {
    TermProjection projection = kernel.projection();
    int hidden = projection.hidden();
    int dimensions = projection.dimensions();
    KernelWeights weights =
        new KernelWeights(hidden, dimensions, new float[hidden * (dimensions + 1) + SCALARS]);
    float[][] matrix = projection.matrix();
    for (int h = 0; h < hidden; h++) {
      System.arraycopy(matrix[h], 0, weights.values, h * dimensions, dimensions);
    }
    System.arraycopy(projection.weights(), 0, weights.values, hidden * dimensions, hidden);
    ScoringParameters parameters = kernel.parameters();
    weights.set(THRESHOLD, parameters.threshold());
    weights.set(LOG_EXPONENT, Math.log(parameters.exponent()));
    weights.set(LOGIT_SCALE, logit(parameters.scale()));
    weights.set(LOG_K1, Math.log(Math.max(EDGE, parameters.k1())));
    weights.set(LOGIT_B, logit(parameters.b()));
    weights.set(LOG_SHARPNESS, Math.log(0.5));
    return weights;
  }

  private static double logit(double share) {
    double inside = Math.max(EDGE, Math.min(1 - EDGE, share));
    return Math.log(inside / (1 - inside));
  }

  private static double logistic(double value) {
    return 1 / (1 + Math.exp(-value));
  }

  KernelWeights copy() {
    return new KernelWeights(hidden, dimensions, values.clone());
  }

  int hidden() {
    return hidden;
  }

  int dimensions() {
    return dimensions;
  }

  /** All of them; changes write through. */
  float[] values() {
    return values;
  }

  /** How many of the values are the matrix, which comes first. */
  int matrixSize() {
    return hidden * dimensions;
  }

  int index(int scalar) {
    return hidden * (dimensions + 1) + scalar;
  }

  private float get(int scalar) {
    return values[index(scalar)];
  }

  private void set(int scalar, double value) {
    values[index(scalar)] = (float) value;
  }

  /** One of three rates, by what a value is. */
  double rate(int index, double ofMatrix, double ofDirection, double ofScalars) {
    if (index < matrixSize()) {
      return ofMatrix;
    }
    return index < matrixSize() + hidden ? ofDirection : ofScalars;
  }

  /** Brings the threshold, and the length of the weight direction, back to where they may be. */
  void keepInRange() {
    double square = 0;
    for (int i = matrixSize(); i < matrixSize() + hidden; i++) {
      square += values[i] * values[i];
    }
    double longest = 0.99 * TermProjection.MAX_NORM;
    for (int i = matrixSize(); square > longest * longest && i < matrixSize() + hidden; i++) {
      values[i] *= (float) (longest / Math.sqrt(square));
    }
    set(THRESHOLD, Math.max(0f, Math.min(MAX_THRESHOLD, get(THRESHOLD))));
  }

  double threshold() {
    return get(THRESHOLD);
  }

  double exponent() {
    return Math.exp(get(LOG_EXPONENT));
  }

  double scale() {
    return logistic(get(LOGIT_SCALE));
  }

  double k1() {
    return Math.exp(get(LOG_K1));
  }

  double b() {
    return logistic(get(LOGIT_B));
  }

  /** Factor on scores before their softmax. */
  double sharpness() {
    return Math.exp(get(LOG_SHARPNESS));
  }

  /** Adds a centred state's vector. */
  void project(float[] direction, float[] vector) {
    for (int h = 0; h < hidden; h++) {
      float component = direction[h];
      int row = h * dimensions;
      for (int d = 0; d < dimensions; d++) {
        vector[d] += component * values[row + d];
      }
    }
  }

  /** Logarithm of the weight of a centred state. */
  double logWeight(float[] direction) {
    double sum = 0;
    for (int h = 0; h < hidden; h++) {
      sum += direction[h] * values[matrixSize() + h];
    }
    return sum;
  }

  /**
   * The kernel that these make.
   *
   * @param start gives what is not learnt
   */
  Kernel kernel(Kernel start) {
    float[][] matrix = new float[hidden][dimensions];
    for (int h = 0; h < hidden; h++) {
      System.arraycopy(values, h * dimensions, matrix[h], 0, dimensions);
    }
    float[] direction = new float[hidden];
    System.arraycopy(values, matrixSize(), direction, 0, hidden);
    ScoringParameters parameters =
        new ScoringParameters(
            (float) k1(),
            (float) b(),
            (float) threshold(),
            (float) exponent(),
            (float) scale(),
            start.parameters().maxSoftTerms(),
            start.parameters().idfBlend(),
            start.parameters().weightExponent());
    return new Kernel(
        parameters, new TermProjection(start.projection().center(), matrix, direction));
  }
}
