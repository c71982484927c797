package org.semanticbm25.similarity.field;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.MultiTerms;
import org.apache.lucene.index.Terms;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.MatchNoDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreMode;
import org.apache.lucene.search.Scorer;
import org.apache.lucene.search.Weight;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.search.similarities.PerFieldSimilarityWrapper;
import org.apache.lucene.search.similarities.Similarity;
import org.apache.lucene.util.BytesRef;
import org.semanticbm25.similarity.model.Profile;
import org.semanticbm25.similarity.model.ScoringParameters;
import org.semanticbm25.similarity.model.SemanticBM25Model;
import org.semanticbm25.similarity.model.WordEdit;
import org.semanticbm25.similarity.search.SemanticBM25Similarity;
import org.semanticbm25.similarity.search.SoftTermQuery;

/**
 * A model applied to a field: all that a search needs. Works on any index that has the field, which
 * need not be prepared and may change at any time.
 *
 * <pre class="prettyprint">
 * SemanticField body = SemanticField.of(EnglishModel.load(), "body", analyzer);
 * searcher.setSimilarity(body.similarity());
 * TopDocs hits = searcher.search(body.query("cheap laptops"), 10);
 * </pre>
 *
 * <p>Soft terms come from the model and not from the index, so that every shard expands a query
 * alike and nothing goes stale. A query term outside the model's words goes by its wordpieces:
 * their mean vector finds soft terms, the rarest piece gives the IDF value, their mean weight
 * counts. One that has no wordpieces either, or is no word, means itself alone and is scored as by
 * BM25. {@link #withAttached} adds the rare words of an index.
 *
 * <p>Words that were edited in the model are analysed as the field is. A factor above or below 1
 * boosts the term in queries and weighs it as a soft term, where nothing counts more than a match
 * of the query term itself; a factor of 0 takes the term out of queries and soft terms. So an edit
 * of "laptops" holds for all words that share its stem.
 *
 * <p>Making one analyses all words of the model; the other methods share what it made. The
 * neighbours of a query term are found at its first use, in a millisecond or, with a million terms
 * attached, in a few, and cached. With 200,000 terms and more they are found by sketches of the
 * vectors, which {@link #withAttached} makes and which may miss some; docs/performance.md has how
 * many. Immutable and thread-safe.
 *
 * @lucene.experimental
 */
public final class SemanticField {
  /** Most soft terms that a query term can have. */
  public static final int MAX_SOFT_TERMS = RelatedTerms.MAX_NEIGHBOURS;

  private final SemanticBM25Model model;
  private final String field;
  private final Analyzer analyzer;
  private final FieldTerms terms;
  private final RelatedTerms related;
  private final CollectionScaledIdf idf;
  private final TermFactors edits;
  private final TermFactors profile;
  private final TermExpander expander;
  private final SemanticBM25Similarity similarity;
  private final boolean scoringItself;

  private SemanticField(
      SemanticBM25Model model,
      String field,
      Analyzer analyzer,
      FieldTerms terms,
      RelatedTerms related,
      CollectionScaledIdf idf,
      TermFactors edits,
      TermFactors profile,
      boolean scoringItself) {
    ScoringParameters parameters = model.parameters();
    this.model = model;
    this.field = field;
    this.analyzer = analyzer;
    this.terms = terms;
    this.related = related;
    this.idf = idf;
    this.edits = edits;
    this.profile = profile;
    this.expander = new TermExpander(parameters, terms, related, edits.times(profile));
    this.similarity =
        new SemanticBM25Similarity(parameters.k1(), parameters.b(), parameters.idfBlend(), idf);
    this.scoringItself = scoringItself;
  }

  /**
   * Applies a model to a field.
   *
   * @param model the extracted model
   * @param field an indexed text field
   * @param analyzer the one that the field was indexed with
   * @return the field
   */
  public static SemanticField of(SemanticBM25Model model, String field, Analyzer analyzer) {
    return of(model, field, analyzer, FieldTerms.of(model, field, analyzer));
  }

  /**
   * Applies a model to a field whose queries have an analyzer of their own, with synonyms for
   * instance.
   *
   * @param model the extracted model
   * @param field an indexed text field
   * @param indexAnalyzer the one that the field was indexed with
   * @param queryAnalyzer the one that queries are analysed with
   * @return the field
   */
  public static SemanticField of(
      SemanticBM25Model model, String field, Analyzer indexAnalyzer, Analyzer queryAnalyzer) {
    return of(model, field, queryAnalyzer, FieldTerms.of(model, field, indexAnalyzer));
  }

  private static SemanticField of(
      SemanticBM25Model model, String field, Analyzer analyzer, FieldTerms terms) {
    RelatedTerms related = new RelatedTerms(model, terms);
    return new SemanticField(
        model,
        field,
        analyzer,
        terms,
        related,
        new CollectionScaledIdf(model, related),
        TermFactors.of(model.edits(), field, analyzer),
        TermFactors.NONE,
        false);
  }

  /**
   * The same with an index's own words.
   *
   * @param attached made with the same model, for the same field and analyzer
   * @return a new field
   * @throws IllegalArgumentException if it was made with another model, field or analyzer
   */
  public SemanticField withAttached(AttachedTerms attached) {
    attached.check(model, field, terms.analysis());
    SemanticField more = of(model, field, analyzer, terms.with(attached));
    return new SemanticField(
        model, field, analyzer, more.terms, more.related, more.idf, edits, profile, scoringItself);
  }

  /**
   * The same with other parameters.
   *
   * @param parameters of the function
   * @return a new field
   */
  public SemanticField withParameters(ScoringParameters parameters) {
    return with(model.withParameters(parameters));
  }

  /**
   * The same with another limit for the soft terms of a query term: fewer are faster.
   *
   * @param limit 0 or more; more than {@link #MAX_SOFT_TERMS} are never found
   * @return a new field
   */
  public SemanticField withMaxSoftTerms(int limit) {
    return withParameters(parameters().withMaxSoftTerms(limit));
  }

  /**
   * The same with further edits, see {@link SemanticBM25Model#withEdits}.
   *
   * @param edits of words
   * @return a new field
   */
  public SemanticField withEdits(List<WordEdit> edits) {
    return with(model.withEdits(edits));
  }

  /**
   * The same for a user, a group or a request: factors of words, on top of the model's edits and of
   * the profiles that it has. Factors of a term multiply, also those of different words that the
   * analyzer makes one term of.
   *
   * @param more factors of single words
   * @return a new field, made in the time that the words of the profile take to be analysed
   * @throws IllegalArgumentException if a word is several to the analyzer
   */
  public SemanticField withProfile(Profile more) {
    TermFactors factors = profile.times(TermFactors.of(more, field, analyzer));
    return new SemanticField(
        model, field, analyzer, terms, related, idf, edits, factors, scoringItself);
  }

  private SemanticField with(SemanticBM25Model other) {
    TermFactors own =
        other.edits().equals(model.edits())
            ? edits
            : TermFactors.of(other.edits(), field, analyzer);
    return new SemanticField(
        other, field, analyzer, terms, related, idf, own, profile, scoringItself);
  }

  /**
   * The same with queries that are scored with {@link #similarity} whatever the searcher's is, for
   * engines that set the searcher's similarity themselves.
   *
   * @return a new field
   */
  public SemanticField scoringItself() {
    return new SemanticField(model, field, analyzer, terms, related, idf, edits, profile, true);
  }

  /**
   * The model.
   *
   * @return with its parameters and edits
   */
  public SemanticBM25Model model() {
    return model;
  }

  /**
   * The name of the field.
   *
   * @return as it is indexed
   */
  public String name() {
    return field;
  }

  /**
   * The parameters of the function.
   *
   * @return those of the model
   */
  public ScoringParameters parameters() {
    return model.parameters();
  }

  /**
   * Digest of what the analyzer makes of the model's words, by which {@link AttachedTerms} notice
   * that they were made with another analyzer.
   *
   * @return 16 hexadecimal digits
   */
  public String analysis() {
    return terms.analysis();
  }

  /**
   * Whether the model, or what is attached, has a vector for a term.
   *
   * @param term as it is indexed
   * @return false if the term goes by its wordpieces, or means itself alone
   */
  public boolean knows(BytesRef term) {
    return terms.ordinal(term) >= 0;
  }

  /**
   * Scores the queries of this field; other fields are scored with Lucene's default {@code
   * BM25Similarity}.
   *
   * @return a similarity for searcher and writer alike
   */
  public Similarity similarity() {
    return similarity(new BM25Similarity(), this);
  }

  /**
   * Scores the queries of several fields, each with its own parameters.
   *
   * @param others for all other fields
   * @param fields of different names
   * @return a similarity for searcher and writer alike
   * @throws IllegalArgumentException if two fields have the same name
   */
  public static Similarity similarity(Similarity others, SemanticField... fields) {
    Map<String, SemanticBM25Similarity> byField =
        Stream.of(fields)
            .collect(
                Collectors.toMap(
                    SemanticField::name,
                    f -> f.similarity,
                    (a, b) -> {
                      throw new IllegalArgumentException("two fields of the same name");
                    }));
    return new PerFieldSimilarityWrapper() {
      @Override
      public Similarity get(String name) {
        SemanticBM25Similarity own = byField.get(name);
        return own != null ? own : others;
      }

      @Override
      public String toString() {
        return "PerField(" + byField + ", others " + others + ")";
      }
    };
  }

  /**
   * Analyses a text and makes each of its terms a {@link SoftTermQuery}; any of them may match.
   *
   * @param text in plain words, without operators
   * @return a query that matches nothing if the analyzer leaves nothing of the text
   */
  public Query query(String text) {
    Query query = queryBuilder().createBooleanQuery(field, text);
    return query == null ? new MatchNoDocsQuery("no terms in: " + text) : query;
  }

  /**
   * Builds queries term by term: conjunctions, minimum-should-match, phrases, or those of one's own
   * parser.
   *
   * @return a new builder; queries that it builds for other fields are Lucene's
   */
  public SemanticQueryBuilder queryBuilder() {
    return new SemanticQueryBuilder(field, analyzer, expander, similarity, scoringItself);
  }

  /**
   * The score of a passage that is full of all terms of a query: the sum of their IDF and weights,
   * and of a phrase, or another clause that is none of the model's, the greatest score it can give.
   * A score divided by its square root can be compared with scores of other queries; the order of a
   * query's hits stays the same.
   *
   * @param searcher with {@link #similarity}
   * @param text the query
   * @return 0 if the index has none of the terms
   * @throws IOException if the index cannot be read
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
    if (query instanceof BooleanQuery all) {
      double sum = 0;
      for (BooleanClause clause : all) {
        sum += clause.isScoring() ? fullScore(searcher, clause.query(), factor) : 0;
      }
      return sum;
    }
    return factor * greatestScore(searcher, query);
  }

  /** What no document's score by another query, such as a phrase, exceeds. */
  private static double greatestScore(IndexSearcher searcher, Query query) throws IOException {
    Weight weight = searcher.createWeight(searcher.rewrite(query), ScoreMode.TOP_SCORES, 1f);
    double greatest = 0;
    for (LeafReaderContext leaf : searcher.getLeafContexts()) {
      Scorer scorer = weight.scorer(leaf);
      if (scorer != null) {
        greatest = Math.max(greatest, scorer.getMaxScore(DocIdSetIterator.NO_MORE_DOCS));
      }
    }
    return greatest;
  }

  /**
   * How much of a field's dictionary is known.
   *
   * @param terms all terms of the field
   * @param known those that have a vector, from the model's words or attached
   * @param spelt further ones that go by their wordpieces
   */
  public record Coverage(long terms, long known, long spelt) {
    /**
     * Terms that mean themselves alone: numbers, and words that the model cannot spell.
     *
     * @return 0 or more
     */
    public long unknown() {
      return terms - known - spelt;
    }
  }

  /**
   * Looks up all terms of an index: what {@link #withAttached} could add is what is spelt but not
   * known.
   *
   * @param reader of an index with this field
   * @return counts, 0 if the index has no such field
   * @throws IOException if the index cannot be read
   */
  public Coverage coverage(IndexReader reader) throws IOException {
    long all = 0;
    long known = 0;
    long spelt = 0;
    Terms dictionary = MultiTerms.getTerms(reader, field);
    if (dictionary != null) {
      TermsEnum each = dictionary.iterator();
      for (BytesRef term = each.next(); term != null; term = each.next()) {
        all++;
        if (knows(term)) {
          known++;
        } else if (related.isSpelt(term)) {
          spelt++;
        }
      }
    }
    return new Coverage(all, known, spelt);
  }
}
