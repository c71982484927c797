package org.semanticbm25.eval.collection;

import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.util.QueryBuilder;

/** Words that can be edited. */
public final class SingleTerm {
  private SingleTerm() {}

  /** Whether an analyzer makes exactly one term of a word. */
  public static boolean isOne(Analyzer analyzer, String field, String word) {
    return new QueryBuilder(analyzer).createBooleanQuery(field, word) instanceof TermQuery;
  }
}
