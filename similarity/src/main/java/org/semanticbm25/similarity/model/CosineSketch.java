package org.semanticbm25.similarity.model;

import java.util.Arrays;
import java.util.Random;

/**
 * Finds, among many vectors, those of the highest cosine to another, without a comparison with all.
 *
 * <p>Of each vector it keeps a sketch: the signs of its components after each of two random
 * rotations. Two sketches differ in a share of their signs that is the angle of the vectors divided
 * by pi, but for chance. Cosines are computed, exactly, for the few thousand vectors whose sketches
 * differ least from that of the other. One of the nearest may be missed. A sketch takes 2 bits a
 * component, of which there are 64 or a higher power of 2; a {@link CosineScan} takes 8. Immutable
 * and thread-safe.
 *
 * @lucene.internal
 */
public final class CosineSketch {
  /** How many cosines are computed, about; more if many sketches are equally near. */
  static final int COMPARED = 4096;

  private static final int BLOCK = 1024;
  private static final int SAMPLED_BLOCKS = 16;
  private static final int ROTATIONS = 2;

  private final TermVectors vectors;
  // a power of 2, which the rotation needs
  private final int width;
  private final boolean[][] flips;
  private final long[][] blocks;

  /** Hears of a vector and its cosine. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * Called for each vector that is compared, in order.
     *
     * @param vector its number
     * @param cosine as {@link TermVectors#cosine} gives it
     */
    void visit(int vector, float cosine);
  }

  /**
   * Sketches vectors, in some 3 microseconds each.
   *
   * @param vectors to compare with
   */
  public CosineSketch(TermVectors vectors) {
    this.vectors = vectors;
    this.width = Math.max(Long.SIZE, Integer.highestOneBit(2 * vectors.dimensions() - 1));
    this.flips = new boolean[ROTATIONS + 1][width];
    Random random = new Random(1);
    for (boolean[] flip : flips) {
      for (int d = 0; d < width; d++) {
        flip[d] = random.nextBoolean();
      }
    }
    this.blocks = new long[(vectors.size() + BLOCK - 1) / BLOCK][words() * BLOCK];
    long[] sketch = new long[words()];
    float[] rotated = new float[width];
    for (int i = 0; i < vectors.size(); i++) {
      sketch(vectors.row(i), rotated, sketch);
      for (int word = 0; word < sketch.length; word++) {
        blocks[i / BLOCK][word * BLOCK + i % BLOCK] = sketch[word];
      }
    }
  }

  private int words() {
    return ROTATIONS * width / Long.SIZE;
  }

  /** Rotates by changes of signs and Hadamard transforms, which need no matrix. */
  private void sketch(byte[] row, float[] rotated, long[] sketch) {
    Arrays.fill(rotated, 0f);
    for (int d = 0; d < row.length; d++) {
      rotated[d] = row[d];
    }
    Arrays.fill(sketch, 0);
    // after a single transform, signs still depend on each other
    rotate(rotated, flips[0]);
    for (int rotation = 1; rotation <= ROTATIONS; rotation++) {
      rotate(rotated, flips[rotation]);
      for (int d = 0; d < width; d++) {
        int bit = (rotation - 1) * width + d;
        if (rotated[d] > 0) {
          sketch[bit / Long.SIZE] |= 1L << (bit % Long.SIZE);
        }
      }
    }
  }

  private static void rotate(float[] x, boolean[] flip) {
    for (int d = 0; d < x.length; d++) {
      x[d] = flip[d] ? -x[d] : x[d];
    }
    for (int half = 1; half < x.length; half *= 2) {
      for (int start = 0; start < x.length; start += 2 * half) {
        for (int d = start; d < start + half; d++) {
          float sum = x[d] + x[d + half];
          x[d + half] = x[d] - x[d + half];
          x[d] = sum;
        }
      }
    }
  }

  /**
   * Compares a vector with those that are likely to be the nearest.
   *
   * @param others vectors of the same dimensions
   * @param i which of them
   * @param visitor hears the cosines of some {@value #COMPARED} vectors, of more if many sketches
   *     are equally near, of all if there are not so many
   */
  public void search(TermVectors others, int i, Visitor visitor) {
    long[] sketch = new long[words()];
    sketch(others.row(i), new float[width], sketch);
    int[] differences = new int[BLOCK];
    int limit = limit(sketch, differences);
    for (int b = 0; b < blocks.length; b++) {
      compare(blocks[b], sketch, differences);
      int first = b * BLOCK;
      int count = Math.min(BLOCK, vectors.size() - first);
      for (int j = 0; j < count; j++) {
        if (differences[j] <= limit) {
          visitor.visit(first + j, others.cosine(i, vectors, first + j));
        }
      }
    }
  }

  /**
   * The number of different bits that some {@link #COMPARED} vectors do not exceed, by a sample.
   */
  private int limit(long[] sketch, int[] differences) {
    int step = Math.max(1, blocks.length / SAMPLED_BLOCKS);
    int[] vectorsByBits = new int[ROTATIONS * width + 1];
    long sampled = 0;
    for (int b = 0; b < blocks.length; b += step) {
      compare(blocks[b], sketch, differences);
      int count = Math.min(BLOCK, vectors.size() - b * BLOCK);
      for (int j = 0; j < count; j++) {
        vectorsByBits[differences[j]]++;
      }
      sampled += count;
    }
    int limit = 0;
    long within = vectorsByBits[0];
    while (within * vectors.size() < COMPARED * sampled && limit < ROTATIONS * width) {
      within += vectorsByBits[++limit];
    }
    return limit;
  }

  /** Counts the different bits; processors that count bits of vectors run such a loop on them. */
  private static void compare(long[] block, long[] sketch, int[] differences) {
    Arrays.fill(differences, 0);
    for (int word = 0; word < sketch.length; word++) {
      long bits = sketch[word];
      int at = word * BLOCK;
      for (int j = 0; j < BLOCK; j++) {
        differences[j] += Long.bitCount(block[at + j] ^ bits);
      }
    }
  }
}
