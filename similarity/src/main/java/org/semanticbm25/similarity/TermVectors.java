package org.semanticbm25.similarity;

import java.io.IOException;
import org.apache.lucene.store.DataInput;
import org.apache.lucene.store.DataOutput;
import org.apache.lucene.util.VectorUtil;

/**
 * Vectors of one dimension, quantised to a byte per component, compared by cosine.
 *
 * <p>Each vector is scaled so that its largest component is 127; the cosine does not see the scale.
 * Immutable and thread-safe; callers must not change the arrays they are handed.
 */
public final class TermVectors {
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
   * @param vectors at least one, all of the same length, finite; a zero vector has cosine 0 to all
   * @throws IllegalArgumentException if lengths differ or a component is not finite
   */
  public static TermVectors quantize(float[][] vectors) {
    int dimensions = vectors[0].length;
    byte[][] quantized = new byte[vectors.length][];
    for (int i = 0; i < vectors.length; i++) {
      if (vectors[i].length != dimensions) {
        throw new IllegalArgumentException(
            "illegal length: %d of vector %d, must be %d"
                .formatted(vectors[i].length, i, dimensions));
      }
      quantized[i] = quantize(vectors[i]);
    }
    return new TermVectors(dimensions, quantized);
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

  /** Number of vectors. */
  public int size() {
    return vectors.length;
  }

  /** Number of components of each vector. */
  public int dimensions() {
    return dimensions;
  }

  /** The cosine of vector {@code i} of this and vector {@code j} of {@code other}. */
  public float cosine(int i, TermVectors other, int j) {
    return VectorUtil.dotProduct(vectors[i], other.vectors[j])
        * inverseNorms[i]
        * other.inverseNorms[j];
  }

  /** Vector {@code i} at unit length. */
  public float[] unit(int i) {
    float[] unit = new float[dimensions];
    for (int d = 0; d < dimensions; d++) {
      unit[d] = vectors[i][d] * inverseNorms[i];
    }
    return unit;
  }

  byte[] bytes() {
    byte[] bytes = new byte[vectors.length * dimensions];
    for (int i = 0; i < vectors.length; i++) {
      System.arraycopy(vectors[i], 0, bytes, i * dimensions, dimensions);
    }
    return bytes;
  }

  void write(DataOutput out) throws IOException {
    out.writeVInt(dimensions);
    for (byte[] vector : vectors) {
      out.writeBytes(vector, dimensions);
    }
  }

  static TermVectors read(DataInput in, int size) throws IOException {
    int dimensions = in.readVInt();
    byte[][] vectors = new byte[size][dimensions];
    for (byte[] vector : vectors) {
      in.readBytes(vector, 0, dimensions);
    }
    return new TermVectors(dimensions, vectors);
  }
}
