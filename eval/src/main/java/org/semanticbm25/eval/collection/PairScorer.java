package org.semanticbm25.eval.collection;

import java.io.IOException;
import java.util.List;

/** Scores passages for a query. */
@FunctionalInterface
public interface PairScorer {
  /** A score for each passage, in their order. */
  float[] score(String query, List<String> passages) throws IOException;
}
