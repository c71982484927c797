package org.semanticbm25.onnx.distill;

/**
 * The terms that rankings are made of.
 *
 * @param states the hidden state of each term's word; zeros for what is no word
 * @param idf of each term
 * @param averageLength terms of a passage in the mean
 */
@SuppressWarnings("ArrayRecordComponent")
public record TermStates(float[][] states, float[] idf, double averageLength) {
  /**
   * Checks the sizes and the numbers.
   *
   * @throws IllegalArgumentException if counts differ, an IDF or the length is not positive
   */
  public TermStates {
    if (states.length != idf.length || !(averageLength > 0)) {
      throw new IllegalArgumentException(
          "illegal vocabulary: %s states, %s IDF values, average length %s"
              .formatted(states.length, idf.length, averageLength));
    }
    for (float value : idf) {
      if (!(value > 0f && Float.isFinite(value))) {
        throw new IllegalArgumentException("illegal IDF: " + value + ", must be positive");
      }
    }
  }
}
