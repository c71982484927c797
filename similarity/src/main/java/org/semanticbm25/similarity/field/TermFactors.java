package org.semanticbm25.similarity.field;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.QueryVisitor;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.QueryBuilder;
import org.semanticbm25.similarity.model.Profile;
import org.semanticbm25.similarity.model.WordEdit;

/** How much the terms of a field count, by edits and profiles of words. Immutable. */
final class TermFactors {
  static final TermFactors NONE = new TermFactors(Map.of());

  private static final float LEAST = 1e-6f;
  private static final float MOST = 1e6f;

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
    Query query = new QueryBuilder(analyzer).createBooleanQuery(field, word);
    // synonyms at one position are none
    if (query instanceof BooleanQuery || !word.strip().matches("\\S+")) {
      throw new IllegalArgumentException(
          "illegal word '" + word + "': it is several words to the analyzer; give each of them");
    }
    Set<Term> found = new HashSet<>();
    if (query != null) {
      query.visit(QueryVisitor.termCollector(found));
    }
    Set<BytesRef> terms = new HashSet<>();
    found.forEach(term -> terms.add(term.bytes()));
    return terms;
  }

  /** In a range where scores are finite, and 0 only if a factor is. */
  private static float product(float a, float b) {
    return a == 0f || b == 0f ? 0f : (float) Math.clamp((double) a * b, LEAST, MOST);
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
