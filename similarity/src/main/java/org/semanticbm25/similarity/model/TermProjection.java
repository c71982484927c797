package org.semanticbm25.similarity.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.lucene.store.DataInput;
import org.apache.lucene.store.DataOutput;
import org.apache.lucene.util.VectorUtil;

/**
 * Makes of a word's hidden state in a neural model what the function needs of the word: a short
 * vector, whose cosine with another word's is put through {@link ScoringParameters#kernel}, and how
 * much the word counts in a query, on top of its IDF.
 *
 * <pre>
 *   a      = unit(unit(state) - center)
 *   vector = sum over h of a[h] * matrix[h]
 *   weight = exp(sum over h of a[h] * weights[h])
 * </pre>
 *
 * <p>A state of zeros stands for what is no word: its vector is zero and its weight 1. Immutable
 * and thread-safe.
 *
 * @lucene.experimental
 */
public final class TermProjection {
  /** Length of the longest weight direction: weights stay within e^-20 and e^20. */
  public static final float MAX_NORM = 20f;

  private final float[] center;
  private final float[][] matrix;
  private final float[] weights;

  /**
   * Makes a projection of copies of the arrays.
   *
   * @param center mean of the unit states of words, {@code [hidden]}
   * @param matrix {@code [hidden][dimensions]}
   * @param weights direction of the logarithm of a word's weight, {@code [hidden]}, not longer than
   *     {@value #MAX_NORM}
   * @throws IllegalArgumentException if lengths differ, or a number is not finite or too large
   */
  public TermProjection(float[] center, float[][] matrix, float[] weights) {
    if (center.length == 0 || matrix.length != center.length || weights.length != center.length) {
      throw new IllegalArgumentException(
          "illegal lengths: center %s, matrix %s, weights %s, must be the same and not 0"
              .formatted(center.length, matrix.length, weights.length));
    }
    this.center = checked("center", center, center.length);
    this.weights = checked("weights", weights, center.length);
    this.matrix = new float[matrix.length][];
    for (int h = 0; h < matrix.length; h++) {
      this.matrix[h] = checked("matrix row", matrix[h], matrix[0].length);
    }
    if (!(norm(weights) <= MAX_NORM)) {
      throw new IllegalArgumentException(
          "illegal weights: their norm is " + norm(weights) + ", must be at most " + MAX_NORM);
    }
  }

  private static float[] checked(String name, float[] values, int length) {
    if (values.length != length || length == 0) {
      throw new IllegalArgumentException(
          "illegal length of %s: %s, must be %s and not 0".formatted(name, values.length, length));
    }
    for (float value : values) {
      if (!Float.isFinite(value)) {
        throw new IllegalArgumentException("illegal " + name + ": " + value + ", must be finite");
      }
    }
    return values.clone();
  }

  /**
   * Keeps every direction as it is and weighs all words alike.
   *
   * @param hidden length of a hidden state, at least 1
   * @return as many dimensions as {@code hidden}
   */
  public static TermProjection identity(int hidden) {
    float[][] matrix = new float[hidden][hidden];
    for (int h = 0; h < hidden; h++) {
      matrix[h][h] = 1f;
    }
    return new TermProjection(new float[hidden], matrix, new float[hidden]);
  }

  /**
   * Length of a hidden state.
   *
   * @return at least 1
   */
  public int hidden() {
    return center.length;
  }

  /**
   * Length of a vector.
   *
   * @return at least 1
   */
  public int dimensions() {
    return matrix[0].length;
  }

  /**
   * Mean of the unit states of words.
   *
   * @return a copy, {@code [hidden]}
   */
  public float[] center() {
    return center.clone();
  }

  /**
   * What each component of a direction adds to the vector.
   *
   * @return a copy, {@code [hidden][dimensions]}
   */
  public float[][] matrix() {
    return Arrays.stream(matrix).map(float[]::clone).toArray(float[][]::new);
  }

  /**
   * Direction of the logarithm of a word's weight.
   *
   * @return a copy, {@code [hidden]}
   */
  public float[] weights() {
    return weights.clone();
  }

  /**
   * The direction of a hidden state, seen from the center.
   *
   * @param state {@code [hidden]}
   * @return of length 1, or all 0 if the state is all 0 or nowhere but at the center
   * @throws IllegalArgumentException if the state is of another length
   */
  public float[] centred(float[] state) {
    if (state.length != center.length) {
      throw new IllegalArgumentException(
          "illegal length of a state: %s, must be %s".formatted(state.length, center.length));
    }
    float[] direction = state.clone();
    if (scaleToUnit(direction)) {
      for (int h = 0; h < direction.length; h++) {
        direction[h] -= center[h];
      }
      scaleToUnit(direction);
    }
    return direction;
  }

  private static boolean scaleToUnit(float[] vector) {
    float norm = norm(vector);
    for (int h = 0; norm > 0 && h < vector.length; h++) {
      vector[h] /= norm;
    }
    return norm > 0;
  }

  private static float norm(float[] vector) {
    return (float) Math.sqrt(VectorUtil.dotProduct(vector, vector));
  }

  /**
   * The vector of a word.
   *
   * @param state of the word, {@code [hidden]}
   * @return {@code [dimensions]}, not of unit length
   */
  public float[] vector(float[] state) {
    float[] direction = centred(state);
    float[] vector = new float[dimensions()];
    for (int h = 0; h < direction.length; h++) {
      float[] row = matrix[h];
      for (int d = 0; d < vector.length; d++) {
        vector[d] += direction[h] * row[d];
      }
    }
    return vector;
  }

  /**
   * How much a word counts as a query term.
   *
   * @param state of the word, {@code [hidden]}
   * @return positive; 1 for a word that the model has no opinion on
   */
  public float weight(float[] state) {
    return (float) Math.exp(VectorUtil.dotProduct(centred(state), weights));
  }

  /** The weight of each of some states. */
  float[] weights(float[][] states) {
    float[] all = new float[states.length];
    for (int i = 0; i < all.length; i++) {
      all[i] = weight(states[i]);
    }
    return all;
  }

  /** All numbers, to be digested. */
  byte[] bytes() {
    ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * center.length * (dimensions() + 2));
    put(bytes, center);
    put(bytes, weights);
    for (float[] row : matrix) {
      put(bytes, row);
    }
    return bytes.array();
  }

  private static void put(ByteBuffer bytes, float[] values) {
    for (float value : values) {
      bytes.putFloat(value);
    }
  }

  void write(DataOutput out) throws IOException {
    out.writeVInt(hidden());
    out.writeVInt(dimensions());
    out.writeBytes(bytes(), bytes().length);
  }

  static TermProjection read(DataInput in) throws IOException {
    int hidden = ChecksummedFile.readSize(in, 2 * Float.BYTES);
    int dimensions = ChecksummedFile.readSize(in, Float.BYTES * Math.max(1, hidden));
    float[] center = floats(in, hidden);
    float[] weights = floats(in, hidden);
    float[][] matrix = new float[hidden][];
    for (int h = 0; h < hidden; h++) {
      matrix[h] = floats(in, dimensions);
    }
    return new TermProjection(center, matrix, weights);
  }

  private static float[] floats(DataInput in, int length) throws IOException {
    byte[] bytes = new byte[Math.multiplyExact(length, Float.BYTES)];
    in.readBytes(bytes, 0, bytes.length);
    float[] values = new float[length];
    ByteBuffer.wrap(bytes).asFloatBuffer().get(values);
    return values;
  }
}
