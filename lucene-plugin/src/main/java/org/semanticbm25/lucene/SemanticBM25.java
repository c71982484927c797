package org.semanticbm25.lucene;

import java.io.IOException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.MatchNoDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.QueryVisitor;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.QueryBuilder;
import org.semanticbm25.lucene.AttachedField.Neighbour;
import org.semanticbm25.similarity.ScoringParameters;
import org.semanticbm25.similarity.SemanticBM25Model;
import org.semanticbm25.similarity.SemanticBM25Model.Edit;
import org.semanticbm25.similarity.SemanticBM25Similarity;
import org.semanticbm25.similarity.SoftTermQuery;
import org.semanticbm25.similarity.TermVectors;

/**
 * A model, the field it is attached to, and that field's analyzer: all that a search needs.
 *
 * <pre class="prettyprint">
 * SemanticBM25 semantic = new SemanticBM25(model, attached, analyzer);
 * searcher.setSimilarity(semantic.similarity());
 * TopDocs hits = searcher.search(semantic.query("cheap laptops"), 10);
 * </pre>
 *
 * <p>A query term that the index did not hold when it was attached falls back to its wordpieces:
 * their mean vector finds soft terms among the model's own words, the rarest piece gives the IDF, and
 * their mean weight counts. One that has no wordpieces either is scored with the IDF of the collection.
 *
 * <p>Words that were edited in the model are analysed as the field is. A factor above or below 1
 * boosts the term in queries and weighs it as a soft term, where nothing counts more than a match of
 * the query term itself; a factor of 0 takes the term out of queries and soft terms. So an edit of
 * "laptops" holds for all words that share its stem. Terms that the analyzer puts at one position are
 * not made soft; a factor above 1 does not raise them, and the heaviest of their weights counts for all.
 *
 * <p>Immutable and thread-safe.
 *
 * @lucene.experimental
 */
public final class SemanticBM25 {
  private final SemanticBM25Model model;
  private final AttachedField attached;
  private final Analyzer analyzer;
  private final Map<BytesRef, Float> edits;

  /**
   * @param analyzer the one that the field was indexed with
   * @throws IllegalArgumentException if the field was attached with another model
   */
  public SemanticBM25(SemanticBM25Model model, AttachedField attached, Analyzer analyzer) {
    if (!model.id().equals(attached.modelId())) {
      throw new IllegalArgumentException(
          "field '%s' was attached with model %s, not with %s (%s); attach it again or use that model"
              .formatted(attached.field(), attached.modelId(), model.id(), model.provenance().source()));
    }
    this.model = model;
    this.attached = attached;
    this.analyzer = analyzer;
    this.edits = edits();
  }

  /** The terms that the words of the model's edits are analysed to. */
  private Map<BytesRef, Float> edits() {
    Map<BytesRef, Float> terms = new HashMap<>();
    QueryBuilder builder = new QueryBuilder(analyzer);
    for (Edit edit : model.edits()) {
      Query words = builder.createBooleanQuery(attached.field(), edit.word());
      if (words != null) {
        Set<Term> found = new HashSet<>();
        words.visit(QueryVisitor.termCollector(found));
        found.forEach(term -> terms.put(term.bytes(), edit.weight()));
      }
    }
    return terms;
  }

  /** The model. */
  public SemanticBM25Model model() {
    return model;
  }

  /** The parameters of the function. */
  public ScoringParameters parameters() {
    return model.parameters();
  }

  /** The same with other parameters. */
  public SemanticBM25 withParameters(ScoringParameters parameters) {
    return new SemanticBM25(model.withParameters(parameters), attached, analyzer);
  }

  /** The same with another limit for the soft terms of a query term. */
  public SemanticBM25 withMaxSoftTerms(int limit) {
    return withParameters(parameters().withMaxSoftTerms(limit));
  }

  /** The same with further edits, see {@link SemanticBM25Model#withEdits}. */
  public SemanticBM25 withEdits(List<Edit> edits) {
    return new SemanticBM25(model.withEdits(edits), attached, analyzer);
  }

  /** Scores the queries of this class; other queries are scored as by BM25. */
  public SemanticBM25Similarity similarity() {
    ScoringParameters parameters = model.parameters();
    return new SemanticBM25Similarity(
        parameters.k1(), parameters.b(), parameters.idfBlend(), this::idf);
  }

  /**
   * Analyses a text and makes each of its terms a {@link SoftTermQuery}; any of them may match.
   *
   * @return a query that matches nothing if the analyzer leaves nothing of the text
   */
  public Query query(String text) {
    Query query = new SoftTermQueryBuilder().createBooleanQuery(attached.field(), text);
    return query == null ? new MatchNoDocsQuery("no terms in: " + text) : query;
  }

  /**
   * The score of a passage that is full of all terms of a query: the sum of their IDF and weights. A
   * score divided by its square root can be compared with scores of other queries; the order of a
   * query's hits stays the same. Terms that the analyzer puts at one position are left out.
   *
   * @param searcher with {@link #similarity}
   * @return 0 if the index has none of the terms
   */
  public double fullScore(IndexSearcher searcher, String text) throws IOException {
    return fullScore(searcher, query(text), 1);
  }

  private static double fullScore(IndexSearcher searcher, Query query, double factor)
      throws IOException {
    if (query instanceof SoftTermQuery soft) {
      return factor * soft.fullScore(searcher);
    }
    if (query instanceof BoostQuery boost) {
      return fullScore(searcher, boost.getQuery(), factor * boost.getBoost());
    }
    double sum = 0;
    if (query instanceof BooleanQuery all) {
      for (BooleanClause clause : all) {
        sum += fullScore(searcher, clause.query(), factor);
      }
    }
    return sum;
  }

  /** Lucene's own way from text to query, with soft terms in place of terms. */
  private final class SoftTermQueryBuilder extends QueryBuilder {
    SoftTermQueryBuilder() {
      super(SemanticBM25.this.analyzer);
    }

    @Override
    protected Query newTermQuery(Term term, float boost) {
      float factor = boost * weight(term.bytes()) * edit(term.bytes());
      if (factor == 0f) {
        return new MatchNoDocsQuery("blocked term: " + term);
      }
      SoftTermQuery.Builder soft = new SoftTermQuery.Builder(term);
      softTerms(term.bytes()).forEach(t -> soft.add(attached.term(t.term()), t.cosine()));
      return boosted(soft.build(), factor);
    }

    /** Terms at one position, as synonym filters make them; their boosts are 1 at most. */
    @Override
    protected Query newSynonymQuery(String field, TermAndBoost[] terms) {
      TermAndBoost[] kept =
          Arrays.stream(terms)
              .map(t -> new TermAndBoost(t.term(), Math.min(1f, t.boost() * edit(t.term()))))
              .filter(t -> t.boost() > 0f)
              .toArray(TermAndBoost[]::new);
      if (kept.length == 0) {
        return new MatchNoDocsQuery("blocked terms: " + Arrays.toString(terms));
      }
      float heaviest = 0f;
      for (TermAndBoost term : kept) {
        heaviest = Math.max(heaviest, weight(term.term()));
      }
      return boosted(super.newSynonymQuery(field, kept), heaviest);
    }
  }

  private static Query boosted(Query query, float factor) {
    return factor == 1f ? query : new BoostQuery(query, factor);
  }

  private float edit(BytesRef term) {
    return edits.getOrDefault(term, 1f);
  }

  private float weight(BytesRef term) {
    int ordinal = attached.ordinal(term);
    float weight =
        ordinal >= 0
            ? attached.weight(ordinal)
            : model.weight(piecesOfWord(term.utf8ToString()));
    return (float) Math.pow(weight, model.parameters().weightExponent());
  }

  /** Terms and their kernel weights, heaviest first. */
  private List<Neighbour> softTerms(BytesRef term) {
    int ordinal = attached.ordinal(term);
    List<Neighbour> near =
        ordinal >= 0 ? attached.neighbours(ordinal) : nearestToPieces(term.utf8ToString());
    return near.stream()
        .map(neighbour -> new Neighbour(neighbour.term(), softWeight(neighbour)))
        .filter(neighbour -> neighbour.cosine() > 0f)
        // stable: where nothing was edited the order stays
        .sorted(Comparator.comparingDouble(neighbour -> -neighbour.cosine()))
        .limit(model.parameters().maxSoftTerms())
        .toList();
  }

  private float softWeight(Neighbour neighbour) {
    float kernel = model.parameters().kernel(neighbour.cosine());
    return Math.min(1f, kernel * edit(attached.term(neighbour.term())));
  }

  /** None of what is no word, or one that the model cannot put together. */
  private int[] piecesOfWord(String text) {
    return SurfaceForms.isWord(text) ? model.wordpieces(text) : new int[0];
  }

  private List<Neighbour> nearestToPieces(String word) {
    int[] pieces = piecesOfWord(word);
    if (pieces.length == 0) {
      return List.of();
    }
    float[] sum = new float[model.vectors().dimensions()];
    for (int piece : pieces) {
      float[] unit = model.vectors().unit(piece);
      for (int d = 0; d < sum.length; d++) {
        sum[d] += unit[d];
      }
    }
    TermVectors vector = TermVectors.quantize(new float[][] {sum});
    Map<Integer, Float> best = new HashMap<>();
    for (int piece = 0; piece < model.size(); piece++) {
      int term = attached.pieceTerm(piece);
      if (term >= 0) {
        best.merge(term, vector.cosine(0, model.vectors(), piece), Math::max);
      }
    }
    return best.entrySet().stream()
        .map(e -> new Neighbour(e.getKey(), e.getValue()))
        .sorted(
            (a, b) ->
                a.cosine() != b.cosine()
                    ? Float.compare(b.cosine(), a.cosine())
                    : Integer.compare(a.term(), b.term()))
        .limit(AttachedField.MAX_NEIGHBOURS)
        .toList();
  }

  private float idf(BytesRef term) {
    int ordinal = attached.ordinal(term);
    if (ordinal >= 0) {
      return attached.idf(ordinal);
    }
    int[] pieces = model.wordpieces(term.utf8ToString());
    return pieces.length == 0 ? Float.NaN : attached.idfScale().toCollection(model.idf(pieces));
  }
}
