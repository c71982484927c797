package org.semanticbm25.similarity.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.FilterWeight;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Matches;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.QueryVisitor;
import org.apache.lucene.search.ScoreMode;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.Weight;
import org.apache.lucene.search.similarities.PerFieldSimilarityWrapper;
import org.apache.lucene.search.similarities.Similarity;
import org.apache.lucene.util.BytesRef;
import org.jspecify.annotations.Nullable;

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
 * term and its synonyms and not the maximum over all terms; weights are summed in a fixed order and
 * in double, so an explanation equals its score to the last bit; and impacts are merged in fixed
 * point, so that a term of weight 0.3 bounds a block by 0.3 and not by 1. A query term that the
 * searcher knows of no document with counts as one that stands in one document.
 *
 * <p>With no soft terms it rewrites to a {@code TermQuery}. It can be used with any {@code
 * Similarity}, unless it was built to require one. Immutable and thread-safe.
 *
 * @lucene.experimental
 */
public final class SoftTermQuery extends Query {
  private final String field;
  private final BytesRef term;
  // sorted by term
  private final WeightedTerm[] terms;
  private final @Nullable SemanticBM25Similarity required;
  private final @Nullable SemanticBM25Similarity own;

  private SoftTermQuery(Builder builder) {
    this.field = builder.field;
    this.term = builder.term;
    this.terms = builder.terms.values().toArray(WeightedTerm[]::new);
    this.required = builder.required;
    this.own = builder.own;
  }

  /** Collects the soft terms of one query term. Not thread-safe. */
  public static final class Builder {
    private final String field;
    private final BytesRef term;
    private final TreeMap<BytesRef, WeightedTerm> terms = new TreeMap<>();
    private @Nullable SemanticBM25Similarity required;
    private @Nullable SemanticBM25Similarity own;

    /**
     * Begins with the query term.
     *
     * @param term the query term, which matches itself with weight 1
     */
    public Builder(Term term) {
      this.field = term.field();
      this.term = BytesRef.deepCopyOf(term.bytes());
      terms.put(this.term, new WeightedTerm(this.term, 1f, true));
    }

    /**
     * Adds a term of the same field that counts as a part of the query term.
     *
     * @param softTerm another term than those that are there
     * @param weight how much of an occurrence of the query term one of {@code softTerm} is worth,
     *     in (0, 1]
     * @return this builder
     * @throws IllegalArgumentException if the weight is out of range or the term is already there
     * @throws IndexSearcher.TooManyClauses if there are more than {@link
     *     IndexSearcher#getMaxClauseCount()} terms
     */
    public Builder add(BytesRef softTerm, float weight) {
      return add("soft term", new WeightedTerm(BytesRef.deepCopyOf(softTerm), weight, false));
    }

    /**
     * Adds a synonym of the query term: scored with the same statistics, which become the greatest
     * of the query term and its synonyms.
     *
     * @param synonym another term than those that are there
     * @param weight how much of an occurrence of the query term one of {@code synonym} is worth, in
     *     (0, 1]
     * @return this builder
     * @throws IllegalArgumentException if the weight is out of range or the term is already there
     * @throws IndexSearcher.TooManyClauses if there are more than {@link
     *     IndexSearcher#getMaxClauseCount()} terms
     */
    public Builder addSynonym(BytesRef synonym, float weight) {
      return add("synonym", new WeightedTerm(BytesRef.deepCopyOf(synonym), weight, true));
    }

    private Builder add(String what, WeightedTerm added) {
      if (!(added.weight() > 0f && added.weight() <= 1f)) {
        throw new IllegalArgumentException(
            "illegal weight: %s of %s %s, must be in (0, 1]"
                .formatted(added.weight(), what, text(added.bytes())));
      }
      if (terms.putIfAbsent(added.bytes(), added) != null) {
        throw new IllegalArgumentException(what + " given twice: " + text(added.bytes()));
      }
      if (terms.size() > IndexSearcher.getMaxClauseCount()) {
        throw new IndexSearcher.TooManyClauses();
      }
      return this;
    }

    /**
     * Has the query fail under another similarity than this one, rather than score differently.
     *
     * @param similarity that the searcher must have, itself or for the field
     * @return this builder
     */
    public Builder require(SemanticBM25Similarity similarity) {
      required = similarity;
      return this;
    }

    /**
     * Has the query scored with this similarity, whatever the searcher's is. The field must have
     * been indexed with norms of Lucene's usual encoding, or without norms.
     *
     * @param similarity of this query
     * @return this builder
     */
    public Builder scoredBy(SemanticBM25Similarity similarity) {
      own = similarity;
      return this;
    }

    /**
     * Builds the query. The builder may be used further.
     *
     * @return the query
     */
    public SoftTermQuery build() {
      return new SoftTermQuery(this);
    }
  }

  /**
   * The query term.
   *
   * @return field and term
   */
  public Term getTerm() {
    return new Term(field, term);
  }

  /**
   * A soft term and its share in the soft frequency.
   *
   * @param term field and term
   * @param weight in (0, 1]
   */
  public record SoftTerm(Term term, float weight) {}

  /**
   * The soft terms, without the query term and its synonyms.
   *
   * @return heaviest first
   */
  public List<SoftTerm> getSoftTerms() {
    return Arrays.stream(terms)
        .filter(t -> !t.exact())
        .map(t -> new SoftTerm(new Term(field, t.bytes()), t.weight()))
        .sorted(Comparator.comparingDouble((SoftTerm t) -> -t.weight).thenComparing(SoftTerm::term))
        .toList();
  }

  /**
   * The soft-term queries within a query, but for prohibited ones: shows what a text was turned
   * into.
   *
   * @param query any query
   * @return in the order of the query
   */
  public static List<SoftTermQuery> in(Query query) {
    List<SoftTermQuery> found = new ArrayList<>();
    collect(query, found);
    return found;
  }

  private static void collect(Query query, List<SoftTermQuery> found) {
    if (query instanceof BooleanQuery clauses) {
      // its own visit goes by hash codes, which differ from run to run
      clauses.clauses().stream()
          .filter(clause -> !clause.isProhibited())
          .forEach(clause -> collect(clause.query(), found));
      return;
    }
    if (query instanceof BoostQuery boosted) {
      collect(boosted.getQuery(), found);
      return;
    }
    query.visit(
        new QueryVisitor() {
          @Override
          public void consumeTerms(Query leaf, Term... terms) {
            if (leaf instanceof SoftTermQuery soft) {
              found.add(soft);
            }
          }
        });
  }

  /**
   * The score of a document that is full of the terms, which no document's score exceeds.
   *
   * @param searcher whose similarity and statistics count
   * @return 0 if the index has none of the terms
   * @throws IOException if the index cannot be read
   */
  public float fullScore(IndexSearcher searcher) throws IOException {
    return weight(searcher, ScoreMode.COMPLETE, 1f).fullScore();
  }

  WeightedTerm[] terms() {
    return terms;
  }

  private SoftTermWeight weight(IndexSearcher searcher, ScoreMode scoreMode, float boost)
      throws IOException {
    checkSimilarity(searcher);
    Similarity similarity = own != null ? own : searcher.getSimilarity();
    return new SoftTermWeight(this, getTerm(), terms, similarity, searcher, scoreMode, boost);
  }

  private void checkSimilarity(IndexSearcher searcher) {
    Similarity effective = searcher.getSimilarity();
    while (effective instanceof PerFieldSimilarityWrapper fields) {
      effective = fields.get(field);
    }
    if (required != null && !required.equals(effective)) {
      throw new IllegalStateException(
          "field '%s' is queried with %s, but the searcher scores it with %s; set the similarity of the SemanticField"
              .formatted(field, required, effective));
    }
  }

  @Override
  public Query rewrite(IndexSearcher searcher) {
    // one that requires a similarity keeps asking for it when it is scored, and only then
    return terms.length == 1 && required == null && own == null ? new TermQuery(getTerm()) : this;
  }

  @Override
  public Weight createWeight(IndexSearcher searcher, ScoreMode scoreMode, float boost)
      throws IOException {
    if (!scoreMode.needsScores()) {
      return new FilterWeight(
          this, searcher.rewrite(anyTerm()).createWeight(searcher, scoreMode, boost)) {
        @Override
        public @Nullable Matches matches(LeafReaderContext context, int doc) throws IOException {
          Matches matches = SoftTermWeight.matches(parentQuery, getTerm(), terms, context, doc);
          return matches != null ? matches : super.matches(context, doc);
        }
      };
    }
    if (terms.length == 1 && own == null) {
      checkSimilarity(searcher);
      return new TermQuery(getTerm()).createWeight(searcher, scoreMode, boost);
    }
    return weight(searcher, scoreMode, boost);
  }

  /** The documents that match, without their scores. */
  private BooleanQuery anyTerm() {
    BooleanQuery.Builder any = new BooleanQuery.Builder();
    for (WeightedTerm t : terms) {
      any.add(new TermQuery(new Term(field, t.bytes())), Occur.SHOULD);
    }
    return any.build();
  }

  @Override
  public void visit(QueryVisitor visitor) {
    if (visitor.acceptField(field)) {
      visitor
          .getSubVisitor(Occur.SHOULD, this)
          .consumeTerms(
              this, Arrays.stream(terms).map(t -> new Term(field, t.bytes())).toArray(Term[]::new));
    }
  }

  @Override
  public String toString(String defaultField) {
    String prefix = field.equals(defaultField) ? "" : field + ":";
    String synonyms =
        Arrays.stream(terms)
            .filter(t -> t.exact() && !t.bytes().equals(term))
            .map(t -> " = " + text(t.bytes()) + "^" + t.weight())
            .collect(Collectors.joining());
    return getSoftTerms().stream()
        .map(t -> t.term.text() + "^" + t.weight)
        .collect(Collectors.joining(" ", "Soft(" + prefix + text(term) + synonyms + " ~ ", ")"));
  }

  /** A term may be any bytes; those that are not UTF-8 are shown as hexadecimal. */
  private static String text(BytesRef bytes) {
    return Term.toString(bytes);
  }

  @Override
  public boolean equals(Object other) {
    return sameClassAs(other)
        && field.equals(((SoftTermQuery) other).field)
        && term.equals(((SoftTermQuery) other).term)
        && Arrays.equals(terms, ((SoftTermQuery) other).terms)
        && Objects.equals(required, ((SoftTermQuery) other).required)
        && Objects.equals(own, ((SoftTermQuery) other).own);
  }

  @Override
  public int hashCode() {
    return Objects.hash(classHash(), field, term, Arrays.hashCode(terms), required, own);
  }
}
