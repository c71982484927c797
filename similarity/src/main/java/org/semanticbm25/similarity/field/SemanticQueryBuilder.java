package org.semanticbm25.similarity.field;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.MatchNoDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.QueryBuilder;
import org.semanticbm25.similarity.field.TermExpander.SoftTerm;
import org.semanticbm25.similarity.search.SemanticBM25Similarity;
import org.semanticbm25.similarity.search.SoftTermQuery;

/**
 * Lucene's way from text to query, with a {@link SoftTermQuery} in place of each {@code TermQuery}.
 * All that {@link QueryBuilder} builds can be had: conjunctions, a minimum of terms that must
 * match, phrases, which stay exact, and synonyms, which keep their soft terms. A query parser that
 * is based on {@code QueryBuilder} can hand its terms to {@link #newTermQuery}.
 *
 * <p>Of a text of more than {@value #MAX_EXPANDED_TERMS} different terms the first get soft terms,
 * the others count as they stand: to find those of a term takes a millisecond, or some with very
 * many attached terms.
 *
 * <p>Queries that it builds for other fields than its own are Lucene's: see {@link
 * SemanticField#queryBuilder}. Not thread-safe.
 *
 * @lucene.experimental
 */
public final class SemanticQueryBuilder extends QueryBuilder {
  /** Different terms of a text that get soft terms, at most. */
  public static final int MAX_EXPANDED_TERMS = 64;

  private final String semanticField;
  private final TermExpander expander;
  private final SemanticBM25Similarity similarity;
  private final boolean scoringItself;
  // the word of each term of the text that is being built
  private final Map<BytesRef, String> words = new HashMap<>();
  // those of its terms that get no soft terms
  private final Set<BytesRef> unexpanded = new HashSet<>();

  SemanticQueryBuilder(
      String semanticField,
      Analyzer analyzer,
      TermExpander expander,
      SemanticBM25Similarity similarity,
      boolean scoringItself) {
    super(analyzer);
    this.semanticField = semanticField;
    this.expander = expander;
    this.similarity = similarity;
    this.scoringItself = scoringItself;
  }

  /** Other fields get the queries that Lucene builds for them. */
  private boolean isSemantic(String field) {
    return field.equals(semanticField);
  }

  @Override
  protected Query createFieldQuery(
      Analyzer analyzer,
      Occur operator,
      String field,
      String queryText,
      boolean quoted,
      int phraseSlop) {
    if (isSemantic(field)) {
      Analysis.of(analyzer, field, queryText, this::note);
    }
    try {
      return super.createFieldQuery(analyzer, operator, field, queryText, quoted, phraseSlop);
    } finally {
      words.clear();
      unexpanded.clear();
    }
  }

  private void note(BytesRef term, String word) {
    if (!words.containsKey(term)) {
      BytesRef own = BytesRef.deepCopyOf(term);
      words.put(own, word);
      if (words.size() > MAX_EXPANDED_TERMS) {
        unexpanded.add(own);
      }
    }
  }

  private List<SoftTerm> softTerms(BytesRef term) {
    return unexpanded.contains(term) ? List.of() : expander.softTerms(term, word(term));
  }

  private String word(BytesRef term) {
    String word = words.get(term);
    return word != null ? word : Term.toString(term);
  }

  /**
   * Builds the query of one term.
   *
   * @param term of any field; those of other fields become a {@code TermQuery}
   * @param boost factor on the score
   * @return a {@link SoftTermQuery}, boosted by the weight of the term and its factor; a query that
   *     matches nothing if a factor of 0 blocks the term
   */
  @Override
  public Query newTermQuery(Term term, float boost) {
    if (!isSemantic(term.field())) {
      return super.newTermQuery(term, boost);
    }
    float factor = expander.factor(term.bytes());
    if (factor == 0f) {
      return new MatchNoDocsQuery("blocked term: " + term);
    }
    SoftTermQuery.Builder soft = begin(term);
    softTerms(term.bytes()).forEach(t -> soft.add(t.term(), t.weight()));
    float weight = expander.weight(term.bytes(), word(term.bytes()));
    return boosted(soft.build(), boost * factor * weight);
  }

  /**
   * Builds the query of terms at one position, as synonym filters make them: a match of any counts
   * as one of the term with the greatest factor, its boost times its own factor, and so do their
   * soft terms, all in proportion to the factors.
   */
  @Override
  protected Query newSynonymQuery(String field, TermAndBoost[] terms) {
    if (!isSemantic(field)) {
      return super.newSynonymQuery(field, terms);
    }
    Map<BytesRef, Float> factors = new LinkedHashMap<>();
    for (TermAndBoost term : terms) {
      factors.merge(term.term(), term.boost() * expander.factor(term.term()), Math::max);
    }
    factors.values().removeIf(factor -> factor == 0f);
    if (factors.isEmpty()) {
      return new MatchNoDocsQuery("blocked terms: " + Arrays.toString(terms));
    }
    float greatest = Collections.max(factors.values());
    factors.replaceAll((term, factor) -> factor / greatest);
    BytesRef first =
        factors.entrySet().stream()
            .filter(factor -> factor.getValue() == 1f)
            .map(Map.Entry::getKey)
            .findFirst()
            .orElseThrow();
    SoftTermQuery.Builder query = begin(new Term(field, first));
    Map<BytesRef, Float> soft = new HashMap<>();
    float heaviest = 0f;
    for (Map.Entry<BytesRef, Float> synonym : factors.entrySet()) {
      BytesRef term = synonym.getKey();
      if (!term.equals(first)) {
        query.addSynonym(term, synonym.getValue());
      }
      heaviest = Math.max(heaviest, expander.weight(term, word(term)));
      for (SoftTerm t : softTerms(term)) {
        soft.merge(t.term(), synonym.getValue() * t.weight(), Math::max);
      }
    }
    soft.keySet().removeAll(factors.keySet());
    soft.forEach(query::add);
    return boosted(query.build(), greatest * heaviest);
  }

  private SoftTermQuery.Builder begin(Term term) {
    SoftTermQuery.Builder query = new SoftTermQuery.Builder(term);
    return scoringItself ? query.scoredBy(similarity) : query.require(similarity);
  }

  private static Query boosted(Query query, float factor) {
    return factor == 1f ? query : new BoostQuery(query, factor);
  }
}
