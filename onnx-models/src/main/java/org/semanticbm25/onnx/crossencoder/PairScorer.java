package org.semanticbm25.onnx.crossencoder;

import java.io.IOException;
import java.util.List;

/** Scores passages for a query, as {@link CrossEncoder#score(String, List)} does. */
@FunctionalInterface
public interface PairScorer {
  /**
   * Scores pairs.
   *
   * @param query any text
   * @param passages any texts, perhaps none
   * @return a score for each passage, in their order
   * @throws IOException if the model fails
   */
  float[] score(String query, List<String> passages) throws IOException;
}
