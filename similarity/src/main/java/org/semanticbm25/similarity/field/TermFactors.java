package org.semanticbm25.similarity.field;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.QueryVisitor;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.QueryBuilder;
import org.semanticbm25.similarity.model.Profile;
import org.semanticbm25.similarity.model.WordEdit;

/** How much the terms of a field count, by edits and profiles of words. Immutable. */
final class TermFactors {
  static final TermFactors NONE = new TermFactors(Map.of());

  private final Map<BytesRef, Float> factors;

  private TermFactors(Map<BytesRef, Float> factors) {
    this.factors = factors;
  }

  /** Those of edits; of several for a term the last counts. */
  static TermFactors of(List<WordEdit> edits, String field, Analyzer analyzer) {
    Map<BytesRef, Float> factors = new HashMap<>();
    for (WordEdit edit : edits) {
      terms(edit.word(), field, analyzer).forEach(term -> factors.put(term, edit.weight()));
    }
    return new TermFactors(factors);
  }

  /** Those of a profile; of words that share a term the product counts. */
  static TermFactors of(Profile profile, String field, Analyzer analyzer) {
    Map<BytesRef, Float> factors = new HashMap<>();
    profile
        .factors()
        .forEach(
            (word, factor) ->
                terms(word, field, analyzer)
                    .forEach(term -> factors.merge(term, factor, TermFactors::product)));
    return new TermFactors(factors);
  }

  private static Set<BytesRef> terms(String word, String field, Analyzer analyzer) {
    if (!word.strip().matches("\\S+")) {
      throw new IllegalArgumentException(
          "illegal edit of '" + word + "': it is several words; edit each of them");
    }
    Query query = new QueryBuilder(analyzer).createBooleanQuery(field, word);
    Set<Term> found = new HashSet<>();
    if (query != null) {
      query.visit(QueryVisitor.termCollector(found));
    }
    Set<BytesRef> terms = new HashSet<>();
    found.forEach(term -> terms.add(term.bytes()));
    return terms;
  }

  /** As large as a boost can be, at most. */
  private static float product(float a, float b) {
    return Math.min(Float.MAX_VALUE, a * b);
  }

  /** The products of these factors and others. */
  TermFactors times(TermFactors others) {
    Map<BytesRef, Float> product = new HashMap<>(factors);
    others.factors.forEach((term, factor) -> product.merge(term, factor, TermFactors::product));
    return new TermFactors(product);
  }

  /** The factor of a term, 1 if it has none. */
  float of(BytesRef term) {
    return factors.getOrDefault(term, 1f);
  }
}
