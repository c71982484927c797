package org.semanticbm25.similarity.model;

import java.util.Arrays;

/**
 * Cosines of one vector with all of many. Keeps a copy of the vectors by component, in blocks of
 * {@value #BLOCK}, so that the inner loop runs over neighbouring bytes, which the compiler turns
 * into vector instructions. Sums of products are whole numbers and exact up to 1,040 dimensions, so
 * that results are those of {@link TermVectors#cosine}, to the bit. Immutable and thread-safe.
 *
 * @lucene.internal
 */
public final class CosineScan {
  private static final int BLOCK = 1024;

  private final TermVectors vectors;
  private final byte[][] blocks;

  /** Hears the cosines of some vectors. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * Called for each block, in order.
     *
     * @param first number of the first vector
     * @param cosines of the first vector and those after it; overwritten by the next call
     * @param count number of vectors
     */
    void visit(int first, float[] cosines, int count);
  }

  /**
   * Copies vectors.
   *
   * @param vectors to compare with
   */
  public CosineScan(TermVectors vectors) {
    this.vectors = vectors;
    this.blocks = new byte[(vectors.size() + BLOCK - 1) / BLOCK][vectors.dimensions() * BLOCK];
    for (int i = 0; i < vectors.size(); i++) {
      byte[] row = vectors.row(i);
      byte[] block = blocks[i / BLOCK];
      for (int d = 0; d < row.length; d++) {
        block[d * BLOCK + i % BLOCK] = row[d];
      }
    }
  }

  /**
   * Compares a vector with all.
   *
   * @param others vectors of the same dimensions
   * @param i which of them
   * @param visitor hears the cosines
   */
  public void scan(TermVectors others, int i, Visitor visitor) {
    byte[] row = others.row(i);
    float[] query = new float[row.length];
    for (int d = 0; d < row.length; d++) {
      query[d] = row[d];
    }
    scan(query, others.inverseNorm(i), visitor);
  }

  private void scan(float[] query, float inverseNorm, Visitor visitor) {
    float[] cosines = new float[BLOCK];
    for (int b = 0; b < blocks.length; b++) {
      Arrays.fill(cosines, 0f);
      for (int d = 0; d < query.length; d++) {
        add(cosines, blocks[b], d * BLOCK, query[d]);
      }
      int first = b * BLOCK;
      int count = Math.min(BLOCK, vectors.size() - first);
      for (int j = 0; j < count; j++) {
        cosines[j] = cosines[j] * inverseNorm * vectors.inverseNorm(first + j);
      }
      visitor.visit(first, cosines, count);
    }
  }

  /** Adds the products of one component; floats, since the compiler vectorises these. */
  private static void add(float[] sums, byte[] block, int at, float factor) {
    for (int j = 0; j < BLOCK; j++) {
      sums[j] += factor * block[at + j];
    }
  }
}
