package org.semanticbm25.similarity.model;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.lucene.store.DataInput;
import org.apache.lucene.store.DataOutput;
import org.apache.lucene.util.Accountable;
import org.apache.lucene.util.RamUsageEstimator;

/**
 * Whole words of a language: for each the number of passages that had it, its vector and its
 * weight, which a {@link TermProjection} made of the word's hidden state in the neural model. With
 * these a field of any index of that language can be searched without the neural model.
 *
 * <p>Immutable and thread-safe.
 *
 * @lucene.experimental
 */
public final class WordTable implements Accountable {
  private final int passages;
  private final List<String> words;
  private final int[] frequencies;
  private final TermVectors vectors;
  private final float[] weights;

  private WordTable(
      int passages, List<String> words, int[] frequencies, TermVectors vectors, float[] weights) {
    this.passages = passages;
    this.words = List.copyOf(words);
    this.frequencies = frequencies;
    this.vectors = vectors;
    this.weights = weights;
    check();
  }

  private void check() {
    Set<String> seen = HashSet.newHashSet(words.size());
    for (int i = 0; i < words.size(); i++) {
      if (!seen.add(words.get(i))) {
        throw new IllegalArgumentException("word given twice: " + words.get(i));
      }
      if (frequencies[i] < 1 || frequencies[i] > passages) {
        throw new IllegalArgumentException(
            "illegal frequency: %s of '%s', must be in [1, %s]"
                .formatted(frequencies[i], words.get(i), passages));
      }
      if (!(weights[i] > 0f && Float.isFinite(weights[i]))) {
        throw new IllegalArgumentException(
            "illegal weight: " + weights[i] + " of '" + words.get(i) + "'");
      }
    }
  }

  /**
   * Makes a table.
   *
   * @param passages number of passages that the words were counted in
   * @param words lower-case, without repetition
   * @param frequencies number of passages with each word, in [1, passages]
   * @param states hidden state of each word
   * @param projection makes vectors and weights of states
   * @return the table
   * @throws IllegalArgumentException if the counts differ, a word occurs twice, or a value is out
   *     of its range
   */
  public static WordTable of(
      int passages,
      List<String> words,
      int[] frequencies,
      float[][] states,
      TermProjection projection) {
    if (words.size() != frequencies.length || words.size() != states.length) {
      throw new IllegalArgumentException(
          "illegal table: %s words, %s frequencies, %s states, must be as many of each"
              .formatted(words.size(), frequencies.length, states.length));
    }
    return new WordTable(
        passages,
        words,
        frequencies.clone(),
        TermVectors.quantize(
            projection.dimensions(),
            Arrays.stream(states).map(projection::vector).toArray(float[][]::new)),
        projection.weights(states));
  }

  /**
   * A table without words.
   *
   * @param dimensions of its vectors
   * @return the table
   */
  public static WordTable empty(int dimensions) {
    return new WordTable(
        0, List.of(), new int[0], TermVectors.quantize(dimensions, new float[0][]), new float[0]);
  }

  /**
   * Number of passages that the words were counted in.
   *
   * @return 0 if the table is empty
   */
  public int passages() {
    return passages;
  }

  /**
   * Number of words.
   *
   * @return 0 or more
   */
  public int size() {
    return words.size();
  }

  /**
   * The word at a position.
   *
   * @param i in [0, {@link #size()})
   * @return the word, in lower case
   */
  public String word(int i) {
    return words.get(i);
  }

  /**
   * Number of passages with a word.
   *
   * @param i in [0, {@link #size()})
   * @return in [1, {@link #passages()}]
   */
  public int frequency(int i) {
    return frequencies[i];
  }

  /**
   * How much a word counts as a query term, on top of its IDF.
   *
   * @param i in [0, {@link #size()})
   * @return positive and finite
   */
  public float weight(int i) {
    return weights[i];
  }

  /**
   * The vectors of the words.
   *
   * @return in the order of the words
   */
  public TermVectors vectors() {
    return vectors;
  }

  void write(DataOutput out) throws IOException {
    out.writeVInt(passages);
    out.writeVInt(words.size());
    for (int i = 0; i < words.size(); i++) {
      out.writeString(words.get(i));
      out.writeVInt(frequencies[i]);
      out.writeInt(Float.floatToIntBits(weights[i]));
    }
    vectors.write(out);
  }

  static WordTable read(DataInput in) throws IOException {
    int passages = in.readVInt();
    int size = ChecksummedFile.readSize(in, 2 + Float.BYTES);
    List<String> words = new ArrayList<>();
    List<Integer> frequencies = new ArrayList<>();
    List<Float> weights = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      words.add(ChecksummedFile.readString(in));
      frequencies.add(in.readVInt());
      weights.add(Float.intBitsToFloat(in.readInt()));
    }
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = weights.get(i);
    }
    return new WordTable(
        passages,
        words,
        frequencies.stream().mapToInt(Integer::intValue).toArray(),
        TermVectors.read(in, size),
        values);
  }

  @Override
  public long ramBytesUsed() {
    return words.stream().mapToLong(RamUsageEstimator::sizeOf).sum()
        + RamUsageEstimator.sizeOf(frequencies)
        + RamUsageEstimator.sizeOf(weights)
        + vectors.ramBytesUsed();
  }
}
