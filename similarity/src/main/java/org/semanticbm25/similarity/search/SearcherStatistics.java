package org.semanticbm25.similarity.search;

import java.io.IOException;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.TermStates;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.TermStatistics;
import org.jspecify.annotations.Nullable;

/** Statistics of terms that the index of a searcher may not hold. */
final class SearcherStatistics {
  private SearcherStatistics() {}

  /**
   * What a searcher says of a term. One with statistics from elsewhere, of all shards for instance,
   * knows terms that its own index lacks.
   *
   * @param states of the term in the searcher's index
   * @return null if the searcher knows of no document with the term
   */
  static @Nullable TermStatistics of(IndexSearcher searcher, Term term, TermStates states)
      throws IOException {
    try {
      return searcher.termStatistics(term, states.docFreq(), states.totalTermFreq());
    } catch (IllegalArgumentException e) {
      if (states.docFreq() == 0) {
        // Lucene's own searcher has no statistics of a term in no document
        return null;
      }
      throw e;
    }
  }
}
