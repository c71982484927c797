package org.semanticbm25.similarity.field;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.tokenattributes.OffsetAttribute;
import org.apache.lucene.analysis.tokenattributes.TermToBytesRefAttribute;
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
 * <p>It builds queries for one field, whatever field is asked for in a call: see {@link
 * SemanticField#queryBuilder}. Not thread-safe.
 *
 * @lucene.experimental
 */
public final class SemanticQueryBuilder extends QueryBuilder {
  private final String semanticField;
  private final TermExpander expander;
  private final SemanticBM25Similarity similarity;
  // the word of each term of the text that is being built
  private final Map<BytesRef, String> words = new HashMap<>();

  SemanticQueryBuilder(
      String semanticField,
      Analyzer analyzer,
      TermExpander expander,
      SemanticBM25Similarity similarity) {
    super(analyzer);
    this.semanticField = semanticField;
    this.expander = expander;
    this.similarity = similarity;
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
    words.clear();
    if (isSemantic(field)) {
      noteWords(analyzer, field, queryText);
    }
    return super.createFieldQuery(analyzer, operator, field, queryText, quoted, phraseSlop);
  }

  private void noteWords(Analyzer analyzer, String field, String text) {
    try (TokenStream tokens = analyzer.tokenStream(field, text)) {
      TermToBytesRefAttribute term = tokens.getAttribute(TermToBytesRefAttribute.class);
      OffsetAttribute offset = tokens.addAttribute(OffsetAttribute.class);
      tokens.reset();
      while (tokens.incrementToken()) {
        String word = text.substring(offset.startOffset(), offset.endOffset());
        words.putIfAbsent(BytesRef.deepCopyOf(term.getBytesRef()), word.toLowerCase(Locale.ROOT));
      }
      tokens.end();
    } catch (IOException e) {
      throw new UncheckedIOException("analyzing '" + text + "'", e);
    }
  }

  private String word(BytesRef term) {
    String word = words.get(term);
    return word != null ? word : term.utf8ToString();
  }

  /**
   * Builds the query of one term.
   *
   * @param term of any field; those of other fields become a {@code TermQuery}
   * @param boost factor on the score
   * @return a {@link SoftTermQuery}, boosted by the weight of the term and its edit; a query that
   *     matches nothing if an edit blocks the term
   */
  @Override
  public Query newTermQuery(Term term, float boost) {
    if (!isSemantic(term.field())) {
      return super.newTermQuery(term, boost);
    }
    float edit = expander.edit(term.bytes());
    if (edit == 0f) {
      return new MatchNoDocsQuery("blocked term: " + term);
    }
    String word = word(term.bytes());
    SoftTermQuery.Builder soft = new SoftTermQuery.Builder(term).require(similarity);
    expander.softTerms(term.bytes(), word).forEach(t -> soft.add(t.term(), t.weight()));
    return boosted(soft.build(), boost * edit * expander.weight(term.bytes(), word));
  }

  /**
   * Builds the query of terms at one position, as synonym filters make them: a match of any counts
   * as one of the first, and so do their soft terms, in proportion to the boosts, which are 1 at
   * most.
   */
  @Override
  protected Query newSynonymQuery(String field, TermAndBoost[] terms) {
    if (!isSemantic(field)) {
      return super.newSynonymQuery(field, terms);
    }
    TermAndBoost[] kept =
        Arrays.stream(terms)
            .map(t -> new TermAndBoost(t.term(), Math.min(1f, t.boost() * expander.edit(t.term()))))
            .filter(t -> t.boost() > 0f)
            .toArray(TermAndBoost[]::new);
    if (kept.length == 0) {
      return new MatchNoDocsQuery("blocked terms: " + Arrays.toString(terms));
    }
    float heaviest = 0f;
    Map<BytesRef, Float> soft = new HashMap<>();
    for (TermAndBoost term : kept) {
      String word = word(term.term());
      heaviest = Math.max(heaviest, expander.weight(term.term(), word));
      for (SoftTerm t : expander.softTerms(term.term(), word)) {
        soft.merge(t.term(), term.boost() * t.weight(), Math::max);
      }
    }
    SoftTermQuery.Builder query =
        new SoftTermQuery.Builder(new Term(field, kept[0].term())).require(similarity);
    soft.remove(kept[0].term());
    for (TermAndBoost synonym : Arrays.asList(kept).subList(1, kept.length)) {
      query.addSynonym(synonym.term(), synonym.boost());
      soft.remove(synonym.term());
    }
    soft.forEach(query::add);
    return boosted(query.build(), heaviest);
  }

  private static Query boosted(Query query, float factor) {
    return factor == 1f ? query : new BoostQuery(query, factor);
  }
}
