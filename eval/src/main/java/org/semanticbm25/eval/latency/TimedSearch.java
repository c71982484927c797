package org.semanticbm25.eval.latency;

import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.Query;
import org.jspecify.annotations.Nullable;

/**
 * How the queries of a system are run. Hits are counted exactly up to a thousand, as Lucene does by
 * default.
 *
 * @param name for people
 * @param hits number of hits to return
 * @param filter that hits must pass, if any
 */
public record TimedSearch(String name, int hits, @Nullable Query filter) {
  /** Without a filter. */
  public static TimedSearch top(int hits) {
    return new TimedSearch("top " + hits, hits, null);
  }

  Query filtered(Query query) {
    return filter == null
        ? query
        : new BooleanQuery.Builder().add(query, Occur.MUST).add(filter, Occur.FILTER).build();
  }
}
