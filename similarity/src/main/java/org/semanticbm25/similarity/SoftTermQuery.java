package org.semanticbm25.similarity;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.QueryVisitor;
import org.apache.lucene.search.ScoreMode;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.Weight;
import org.apache.lucene.util.BytesRef;

/**
 * One query term together with the terms that mean nearly the same, scored as one.
 *
 * <pre>
 *   softFreq(q, d) = tf(q, d) + sum over soft terms t of weight(q, t) * tf(t, d)
 *   score(q, d)    = similarity(softFreq(q, d), norm(d)), with the statistics of q
 * </pre>
 *
 * <p>This is the soft term frequency of Lu, Chen and Eickhoff, <i>Pathway to Relevance: How
 * Cross-Encoders Implement a Semantic Variant of BM25</i>, EMNLP 2025, with the attention of the
 * matching heads replaced by fixed term-to-term weights. The sum goes through the similarity once,
 * so saturation and length normalisation act on the query term as a whole, and the IDF is the query
 * term's, however rare a soft term is.
 *
 * <p>It differs from Lucene's {@code SynonymQuery} in three ways: statistics are those of the query
 * term and not the maximum over all terms; weights are summed in a fixed order and in double, so an
 * explanation equals its score to the last bit; and impacts are merged in fixed point, so that a
 * term of weight 0.3 bounds a block by 0.3 and not by 1. A query term that the index does not hold
 * is given the largest document frequency among its soft terms, for want of its own.
 *
 * <p>With no soft terms it rewrites to a {@code TermQuery}. It can be used with any {@code
 * Similarity}. Immutable and thread-safe.
 *
 * @lucene.experimental
 */
public final class SoftTermQuery extends Query {
  private final String field;
  private final BytesRef term;
  // Sorted by term; the query term itself is among them, with weight 1.
  private final WeightedTerm[] terms;

  record WeightedTerm(BytesRef bytes, float weight) {}

  private SoftTermQuery(String field, BytesRef term, WeightedTerm[] terms) {
    this.field = field;
    this.term = term;
    this.terms = terms;
  }

  /** Collects the soft terms of one query term. Not thread-safe. */
  public static final class Builder {
    private final String field;
    private final BytesRef term;
    private final TreeMap<BytesRef, Float> weights = new TreeMap<>();

    /**
     * @param term the query term, which matches itself with weight 1
     */
    public Builder(Term term) {
      this.field = term.field();
      this.term = BytesRef.deepCopyOf(term.bytes());
      weights.put(this.term, 1f);
    }

    /**
     * Adds a term of the same field that counts as a part of the query term.
     *
     * @param softTerm another term than the query term, added at most once
     * @param weight how much of an occurrence of the query term one of {@code softTerm} is worth,
     *     in (0, 1]
     * @return this builder
     * @throws IllegalArgumentException if the weight is out of range or the term is already there
     * @throws IndexSearcher.TooManyClauses if there are more than {@link
     *     IndexSearcher#getMaxClauseCount()} terms
     */
    public Builder add(BytesRef softTerm, float weight) {
      if (!(weight > 0f && weight <= 1f)) {
        throw new IllegalArgumentException(
            "illegal weight: " + weight + " of soft term " + text(softTerm) + ", must be in (0, 1]");
      }
      if (weights.putIfAbsent(BytesRef.deepCopyOf(softTerm), weight) != null) {
        throw new IllegalArgumentException("soft term given twice: " + text(softTerm));
      }
      if (weights.size() > IndexSearcher.getMaxClauseCount()) {
        throw new IndexSearcher.TooManyClauses();
      }
      return this;
    }

    /** Returns the query. The builder may be used further. */
    public SoftTermQuery build() {
      WeightedTerm[] terms =
          weights.entrySet().stream()
              .map(e -> new WeightedTerm(e.getKey(), e.getValue()))
              .toArray(WeightedTerm[]::new);
      return new SoftTermQuery(field, term, terms);
    }
  }

  /** The query term. */
  public Term getTerm() {
    return new Term(field, term);
  }

  /** A term and its share in the soft frequency, in (0, 1]. */
  public record SoftTerm(Term term, float weight) {}

  /** The soft terms without the query term, strongest first. */
  public List<SoftTerm> getSoftTerms() {
    return Arrays.stream(terms)
        .filter(t -> !t.bytes.equals(term))
        .map(t -> new SoftTerm(new Term(field, t.bytes), t.weight))
        .sorted(Comparator.comparingDouble((SoftTerm t) -> -t.weight).thenComparing(SoftTerm::term))
        .toList();
  }

  /** The soft-term queries within a query, in its order: to show what a text was turned into. */
  public static List<SoftTermQuery> in(Query query) {
    List<SoftTermQuery> found = new ArrayList<>();
    query.visit(
        new QueryVisitor() {
          @Override
          public void consumeTerms(Query leaf, Term... terms) {
            if (leaf instanceof SoftTermQuery soft) {
              found.add(soft);
            }
          }
        });
    return found;
  }

  /**
   * The score of a document that is full of the terms, which no document's score exceeds.
   *
   * @param searcher whose similarity and statistics count
   * @return 0 if the index has none of the terms
   */
  public float fullScore(IndexSearcher searcher) throws IOException {
    return new SoftTermWeight(this, searcher, ScoreMode.COMPLETE, 1f).fullScore();
  }

  String field() {
    return field;
  }

  WeightedTerm[] terms() {
    return terms;
  }

  @Override
  public Query rewrite(IndexSearcher searcher) {
    return terms.length == 1 ? new TermQuery(getTerm()) : this;
  }

  @Override
  public Weight createWeight(IndexSearcher searcher, ScoreMode scoreMode, float boost)
      throws IOException {
    return scoreMode.needsScores()
        ? new SoftTermWeight(this, searcher, scoreMode, boost)
        : searcher
            .rewrite(anyTerm())
            .createWeight(searcher, ScoreMode.COMPLETE_NO_SCORES, boost);
  }

  /** The documents that match, without their scores. */
  BooleanQuery anyTerm() {
    BooleanQuery.Builder any = new BooleanQuery.Builder();
    for (WeightedTerm t : terms) {
      any.add(new TermQuery(new Term(field, t.bytes)), Occur.SHOULD);
    }
    return any.build();
  }

  @Override
  public void visit(QueryVisitor visitor) {
    if (visitor.acceptField(field)) {
      visitor
          .getSubVisitor(Occur.SHOULD, this)
          .consumeTerms(
              this,
              Arrays.stream(terms).map(t -> new Term(field, t.bytes)).toArray(Term[]::new));
    }
  }

  @Override
  public String toString(String defaultField) {
    String prefix = field.equals(defaultField) ? "" : field + ":";
    return getSoftTerms().stream()
        .map(t -> t.term.text() + "^" + t.weight)
        .collect(Collectors.joining(" ", "Soft(" + prefix + text(term) + " ~ ", ")"));
  }

  /** A term may be any bytes; those that are not UTF-8 are shown as hexadecimal. */
  static String text(BytesRef bytes) {
    return Term.toString(bytes);
  }

  @Override
  public boolean equals(Object other) {
    return sameClassAs(other)
        && field.equals(((SoftTermQuery) other).field)
        && term.equals(((SoftTermQuery) other).term)
        && Arrays.equals(terms, ((SoftTermQuery) other).terms);
  }

  @Override
  public int hashCode() {
    return Objects.hash(classHash(), field, term, Arrays.hashCode(terms));
  }
}
