package org.semanticbm25.onnx.distill;

import java.util.stream.IntStream;

/**
 * A passage as a bag of terms.
 *
 * @param terms numbers in the vocabulary, distinct
 * @param frequencies how often each occurs
 */
@SuppressWarnings("ArrayRecordComponent")
public record TermBag(int[] terms, int[] frequencies) {
  /**
   * Terms of the passage, repeated ones too.
   *
   * @return sum of the frequencies
   */
  public int length() {
    return IntStream.of(frequencies).sum();
  }
}
