package org.semanticbm25.similarity.search;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.lucene.index.ImpactsEnum;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.TermState;
import org.apache.lucene.index.TermStates;
import org.apache.lucene.index.Terms;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.search.CollectionStatistics;
import org.apache.lucene.search.ConstantScoreScorer;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Matches;
import org.apache.lucene.search.MatchesUtils;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreMode;
import org.apache.lucene.search.Scorer;
import org.apache.lucene.search.ScorerSupplier;
import org.apache.lucene.search.TermScorer;
import org.apache.lucene.search.TermStatistics;
import org.apache.lucene.search.Weight;
import org.apache.lucene.search.similarities.Similarity;
import org.apache.lucene.search.similarities.Similarity.SimScorer;
import org.apache.lucene.util.IOSupplier;
import org.jspecify.annotations.Nullable;

/** The scoring weight of a {@link SoftTermQuery}. */
final class SoftTermWeight extends Weight {
  private final Term queryTerm;
  // in the order in which their frequencies are added
  private final WeightedTerm[] terms;
  private final IndexSearcher searcher;
  private final ScoreMode scoreMode;
  private final Similarity similarity;
  private final TermStates[] states;
  // null if the index holds none of the terms
  private final @Nullable SimScorer simScorer;

  SoftTermWeight(
      Query query,
      Term queryTerm,
      WeightedTerm[] terms,
      Similarity similarity,
      IndexSearcher searcher,
      ScoreMode scoreMode,
      float boost)
      throws IOException {
    super(query);
    this.queryTerm = queryTerm;
    this.terms = terms;
    this.searcher = searcher;
    this.scoreMode = scoreMode;
    this.similarity = similarity;
    this.states = new TermStates[terms.length];
    boolean any = false;
    for (int i = 0; i < states.length; i++) {
      states[i] = TermStates.build(searcher, term(i), true);
      any |= states[i].docFreq() > 0;
    }
    // asked for even if nothing matches here: a cluster adds up what the indexes of a shard are
    // asked
    CollectionStatistics collection = searcher.collectionStatistics(queryTerm.field());
    this.simScorer = any ? similarity.scorer(boost, collection, statistics()) : null;
  }

  private Term term(int i) {
    return new Term(queryTerm.field(), terms[i].bytes());
  }

  /**
   * The greatest statistics among the query term and its synonyms. If the searcher knows of no
   * document with any of them, those of a term in one document, so that the first document with one
   * changes no score by a jump.
   */
  private TermStatistics statistics() throws IOException {
    long documents = 1;
    long occurrences = 1;
    for (int i = 0; i < states.length; i++) {
      TermStatistics stats =
          terms[i].exact() ? SearcherStatistics.of(searcher, term(i), states[i]) : null;
      if (stats != null) {
        documents = Math.max(documents, stats.docFreq());
        occurrences = Math.max(occurrences, stats.totalTermFreq());
      }
    }
    return new TermStatistics(queryTerm.bytes(), documents, occurrences);
  }

  /** What no document's score exceeds; 0 if the index has none of the terms. */
  float fullScore() {
    return simScorer == null ? 0f : simScorer.score(Float.MAX_VALUE, 1L);
  }

  @Override
  public @Nullable ScorerSupplier scorerSupplier(LeafReaderContext context) throws IOException {
    if (simScorer == null) {
      return null;
    }
    List<@Nullable IOSupplier<TermState>> suppliers = new ArrayList<>();
    boolean any = false;
    for (TermStates state : states) {
      // starts the look-up in the terms dictionary in the background
      IOSupplier<TermState> supplier = state.get(context);
      suppliers.add(supplier);
      any |= supplier != null;
    }
    return any ? new SoftTermScorerSupplier(context, suppliers, simScorer) : null;
  }

  private final class SoftTermScorerSupplier extends ScorerSupplier {
    private final LeafReaderContext context;
    private final List<@Nullable IOSupplier<TermState>> suppliers;
    private final SimScorer scorer;
    private final List<ImpactsEnum> postings = new ArrayList<>();
    private final double[] weights = new double[terms.length];
    private boolean opened;
    private boolean topLevel;
    private long cost;

    SoftTermScorerSupplier(
        LeafReaderContext context,
        List<@Nullable IOSupplier<TermState>> suppliers,
        SimScorer scorer) {
      this.context = context;
      this.suppliers = suppliers;
      this.scorer = scorer;
    }

    private void init() throws IOException {
      if (opened) {
        return;
      }
      opened = true;
      for (int i = 0; i < suppliers.size(); i++) {
        IOSupplier<TermState> supplier = suppliers.get(i);
        TermState state = supplier == null ? null : supplier.get();
        if (state != null) {
          WeightedTerm term = terms[i];
          TermsEnum termsEnum = context.reader().terms(queryTerm.field()).iterator();
          termsEnum.seekExact(term.bytes(), state);
          ImpactsEnum impacts = termsEnum.impacts(PostingsEnum.FREQS);
          weights[postings.size()] = term.weight();
          postings.add(impacts);
          cost += impacts.cost();
        }
      }
    }

    @Override
    public Scorer get(long leadCost) throws IOException {
      init();
      if (postings.isEmpty()) {
        return new ConstantScoreScorer(0f, scoreMode, DocIdSetIterator.empty());
      }
      NumericDocValues norms = context.reader().getNormValues(queryTerm.field());
      boolean skip = topLevel && scoreMode == ScoreMode.TOP_SCORES;
      if (postings.size() == 1 && weights[0] == 1d) {
        return new TermScorer(postings.get(0), scorer, norms, skip);
      }
      return new SoftTermScorer(postings.toArray(ImpactsEnum[]::new), weights, scorer, norms, skip);
    }

    @Override
    public long cost() {
      try {
        init();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return cost;
    }

    @Override
    public void setTopLevelScoringClause() {
      topLevel = true;
    }
  }

  @Override
  public Explanation explain(LeafReaderContext context, int doc) throws IOException {
    double freq = 0;
    List<Explanation> parts = new ArrayList<>();
    for (int i = 0; i < states.length; i++) {
      int tf = termFreq(context, i, doc);
      if (tf > 0) {
        WeightedTerm term = terms[i];
        freq += term.weight() * (double) tf;
        parts.add(
            Explanation.match(
                (float) (term.weight() * (double) tf),
                Term.toString(term.bytes()) + ", product of:",
                Explanation.match(
                    term.weight(),
                    term.exact()
                        ? "weight, of the query term or a synonym"
                        : "weight, similarity to the query term"),
                Explanation.match(tf, "termFreq, occurrences of the term in the document")));
      }
    }
    if (parts.isEmpty() || simScorer == null) {
      return Explanation.noMatch("neither " + queryTerm + " nor a soft term of it matches");
    }
    Explanation softFreq =
        Explanation.match((float) freq, "softFreq, over matching terms the sum of:", parts);
    Explanation score = simScorer.explain(softFreq, norm(context, doc));
    return Explanation.match(
        score.getValue(),
        "weight(" + getQuery() + " in " + doc + ") [" + similarity + "], result of:",
        score);
  }

  private int termFreq(LeafReaderContext context, int i, int doc) throws IOException {
    IOSupplier<TermState> supplier = states[i].get(context);
    TermState state = supplier == null ? null : supplier.get();
    if (state == null) {
      return 0;
    }
    TermsEnum termsEnum = context.reader().terms(queryTerm.field()).iterator();
    termsEnum.seekExact(terms[i].bytes(), state);
    PostingsEnum postings = termsEnum.postings(null, PostingsEnum.FREQS);
    return postings.advance(doc) == doc ? postings.freq() : 0;
  }

  private long norm(LeafReaderContext context, int doc) throws IOException {
    NumericDocValues norms = context.reader().getNormValues(queryTerm.field());
    return norms != null && norms.advanceExact(doc) ? norms.longValue() : 1L;
  }

  @Override
  public @Nullable Matches matches(LeafReaderContext context, int doc) throws IOException {
    Matches matches = matches(getQuery(), queryTerm, terms, context, doc);
    return matches != null ? matches : super.matches(context, doc);
  }

  /**
   * Where the terms stand in a document; null if none does, or if the field has no positions.
   *
   * @param query to name as the one that matches
   */
  static @Nullable Matches matches(
      Query query, Term queryTerm, WeightedTerm[] terms, LeafReaderContext context, int doc)
      throws IOException {
    String field = queryTerm.field();
    Terms indexed = context.reader().terms(field);
    if (indexed == null || !indexed.hasPositions()) {
      return null;
    }
    Iterator<WeightedTerm> each = Arrays.asList(terms).iterator();
    return MatchesUtils.forField(
        field,
        () ->
            MatchesUtils.disjunction(
                context, doc, query, field, () -> each.hasNext() ? each.next().bytes() : null));
  }

  @Override
  public boolean isCacheable(LeafReaderContext context) {
    return true;
  }
}
