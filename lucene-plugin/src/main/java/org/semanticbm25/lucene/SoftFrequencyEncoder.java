package org.semanticbm25.lucene;

import java.io.IOException;
import java.util.List;
import org.semanticbm25.similarity.model.SoftFrequencies;

/**
 * Finds soft frequencies in texts, as {@code SoftTermEncoder::encode} does.
 *
 * @lucene.experimental
 */
@FunctionalInterface
public interface SoftFrequencyEncoder {
  /**
   * Encodes texts.
   *
   * @param texts of passages, perhaps none
   * @return what was found in each, in their order
   * @throws IOException if the neural model fails
   */
  List<SoftFrequencies> encode(List<String> texts) throws IOException;
}
