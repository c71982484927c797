package org.semanticbm25.similarity.model;

/**
 * Soft frequencies of a passage: what an encoder found, before literal frequencies are added.
 * Immutable and thread-safe.
 *
 * @lucene.experimental
 */
public final class SoftFrequencies {
  private final int[] terms;
  private final float[] frequencies;

  /**
   * Takes what was found.
   *
   * @param terms numbers of terms of a {@link ContextualModel}, ascending
   * @param frequencies of these terms, positive
   * @throws IllegalArgumentException if the counts differ, numbers do not ascend, or a frequency is
   *     not positive and finite
   */
  public SoftFrequencies(int[] terms, float[] frequencies) {
    if (terms.length != frequencies.length) {
      throw new IllegalArgumentException(
          "illegal soft frequencies: %s terms, %s frequencies"
              .formatted(terms.length, frequencies.length));
    }
    for (int i = 0; i < terms.length; i++) {
      if (i > 0 && terms[i] <= terms[i - 1]) {
        throw new IllegalArgumentException(
            "illegal soft frequencies: term %s after term %s".formatted(terms[i], terms[i - 1]));
      }
      if (!(frequencies[i] > 0f && Float.isFinite(frequencies[i]))) {
        throw new IllegalArgumentException(
            "illegal soft frequency: %s of term %s".formatted(frequencies[i], terms[i]));
      }
    }
    this.terms = terms.clone();
    this.frequencies = frequencies.clone();
  }

  /**
   * Number of terms.
   *
   * @return 0 or more
   */
  public int size() {
    return terms.length;
  }

  /**
   * A term.
   *
   * @param i in [0, {@link #size()})
   * @return its number in the model
   */
  public int term(int i) {
    return terms[i];
  }

  /**
   * The soft frequency of a term.
   *
   * @param i in [0, {@link #size()})
   * @return positive and finite
   */
  public float frequency(int i) {
    return frequencies[i];
  }
}
