package org.semanticbm25.similarity.model;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.store.DataInput;
import org.apache.lucene.store.DataOutput;
import org.apache.lucene.util.Accountable;
import org.apache.lucene.util.RamUsageEstimator;
import org.apache.lucene.util.VectorUtil;

/**
 * Vectors of one dimension, quantised to a byte per component, compared by cosine.
 *
 * <p>Each vector is scaled so that its largest component is 127; the cosine does not see the scale.
 * Immutable and thread-safe; callers must not change the arrays they are handed.
 */
public final class TermVectors implements Accountable {
  private final int dimensions;
  private final byte[][] vectors;
  private final float[] inverseNorms;

  private TermVectors(int dimensions, byte[][] vectors) {
    this.dimensions = dimensions;
    this.vectors = vectors;
    this.inverseNorms = new float[vectors.length];
    for (int i = 0; i < vectors.length; i++) {
      int square = VectorUtil.dotProduct(vectors[i], vectors[i]);
      inverseNorms[i] = square == 0 ? 0f : (float) (1 / Math.sqrt(square));
    }
  }

  /**
   * Quantises vectors.
   *
   * @param dimensions number of components of each vector
   * @param vectors finite; a zero vector has cosine 0 to all
   * @return the quantised vectors, in the same order
   * @throws IllegalArgumentException if a length differs or a component is not finite
   */
  public static TermVectors quantize(int dimensions, float[][] vectors) {
    Builder builder = new Builder(dimensions);
    for (float[] vector : vectors) {
      builder.add(vector);
    }
    return builder.build();
  }

  /** Collects vectors one by one, a byte per component. Not thread-safe. */
  public static final class Builder {
    private final int dimensions;
    private final List<byte[]> vectors = new ArrayList<>();

    /**
     * Begins without vectors.
     *
     * @param dimensions number of components of each vector
     */
    public Builder(int dimensions) {
      this.dimensions = dimensions;
    }

    /**
     * Quantises and adds a vector.
     *
     * @param vector finite; a zero vector has cosine 0 to all
     * @throws IllegalArgumentException if its length differs or a component is not finite
     */
    public void add(float[] vector) {
      if (vector.length != dimensions) {
        throw new IllegalArgumentException(
            "illegal length: %s of vector %s, must be %s"
                .formatted(vector.length, vectors.size(), dimensions));
      }
      vectors.add(quantize(vector));
    }

    /**
     * Adds a vector that is quantised already; its bytes are shared.
     *
     * @param from vectors of the same dimensions
     * @param i which of them
     * @throws IllegalArgumentException if the dimensions differ
     */
    public void add(TermVectors from, int i) {
      if (from.dimensions != dimensions) {
        throw new IllegalArgumentException(
            "illegal dimensions: " + from.dimensions + ", must be " + dimensions);
      }
      vectors.add(from.vectors[i]);
    }

    /**
     * Builds the vectors.
     *
     * @return in the order in which they were added
     */
    public TermVectors build() {
      return new TermVectors(dimensions, vectors.toArray(byte[][]::new));
    }
  }

  private static byte[] quantize(float[] vector) {
    float max = 0f;
    for (float component : vector) {
      if (!Float.isFinite(component)) {
        throw new IllegalArgumentException("illegal component: " + component + ", must be finite");
      }
      max = Math.max(max, Math.abs(component));
    }
    byte[] quantized = new byte[vector.length];
    for (int d = 0; max > 0 && d < vector.length; d++) {
      quantized[d] = (byte) Math.round(vector[d] / max * 127f);
    }
    return quantized;
  }

  /**
   * Number of vectors.
   *
   * @return 0 or more
   */
  public int size() {
    return vectors.length;
  }

  /**
   * Number of components of each vector.
   *
   * @return 1 or more
   */
  public int dimensions() {
    return dimensions;
  }

  /**
   * The cosine of two vectors.
   *
   * @param i of this
   * @param other vectors of the same dimensions
   * @param j of {@code other}
   * @return in [-1, 1] but for rounding; 0 if either is zero
   */
  public float cosine(int i, TermVectors other, int j) {
    return VectorUtil.dotProduct(vectors[i], other.vectors[j])
        * inverseNorms[i]
        * other.inverseNorms[j];
  }

  /**
   * A vector at unit length.
   *
   * @param i in [0, {@link #size()})
   * @return a new array; zeros for a zero vector
   */
  public float[] unit(int i) {
    float[] unit = new float[dimensions];
    for (int d = 0; d < dimensions; d++) {
      unit[d] = vectors[i][d] * inverseNorms[i];
    }
    return unit;
  }

  /** Components of a vector; not to be changed. */
  byte[] row(int i) {
    return vectors[i];
  }

  float inverseNorm(int i) {
    return inverseNorms[i];
  }

  byte[] bytes() {
    byte[] bytes = new byte[vectors.length * dimensions];
    for (int i = 0; i < vectors.length; i++) {
      System.arraycopy(vectors[i], 0, bytes, i * dimensions, dimensions);
    }
    return bytes;
  }

  /**
   * Writes the vectors as a part of a file.
   *
   * @param out where to write
   * @throws IOException if writing fails
   */
  public void write(DataOutput out) throws IOException {
    out.writeVInt(dimensions);
    for (byte[] vector : vectors) {
      out.writeBytes(vector, dimensions);
    }
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @param in where to read
   * @param size number of vectors
   * @return the vectors
   * @throws IOException if reading fails
   */
  public static TermVectors read(DataInput in, int size) throws IOException {
    int dimensions = ChecksummedFile.readSize(in, Math.max(1, size));
    byte[][] vectors = new byte[size][];
    for (int i = 0; i < size; i++) {
      vectors[i] = new byte[dimensions];
      in.readBytes(vectors[i], 0, dimensions);
    }
    return new TermVectors(dimensions, vectors);
  }

  @Override
  public long ramBytesUsed() {
    long bytes = RamUsageEstimator.shallowSizeOf(vectors) + RamUsageEstimator.sizeOf(inverseNorms);
    for (byte[] vector : vectors) {
      bytes += RamUsageEstimator.sizeOf(vector);
    }
    return bytes;
  }
}
