package org.semanticbm25.similarity.search;

import java.io.IOException;
import java.util.Objects;
import org.apache.lucene.document.FeatureField;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.TermStates;
import org.apache.lucene.search.CollectionStatistics;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.FilterWeight;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.QueryVisitor;
import org.apache.lucene.search.ScoreMode;
import org.apache.lucene.search.TermStatistics;
import org.apache.lucene.search.Weight;

/**
 * Scores a term by its soft frequency in context, which is stored in a field of its own:
 *
 * <pre>
 *   score = boost * idf * weight * V / (V + k1)
 * </pre>
 *
 * <p>V is the value of the term's {@link FeatureField} in the soft field, made of the literal and
 * the soft frequency when the passage was indexed. The IDF is BM25's of the term in the text field;
 * a term that no text holds has the model's. Postings are read and skipped by Lucene's own
 * saturation query, whatever similarity the searcher has.
 *
 * @lucene.experimental
 */
public final class ContextualTermQuery extends Query {
  private final Term softTerm;
  private final String textField;
  private final String model;
  private final float k1;
  private final float weight;
  private final float modelIdf;

  /**
   * Makes a query of one term.
   *
   * @param softTerm the term in the soft field
   * @param textField field of the text, for the IDF
   * @param model id of the model that the soft field must have been written with
   * @param k1 saturation, positive
   * @param weight how much the term counts, positive
   * @param modelIdf IDF of a term that no text holds, not negative
   * @throws IllegalArgumentException if a number is out of its range
   */
  public ContextualTermQuery(
      Term softTerm, String textField, String model, float k1, float weight, float modelIdf) {
    if (!(k1 > 0f && weight > 0f && modelIdf >= 0f)) {
      throw new IllegalArgumentException(
          "illegal k1, weight or IDF of %s: %s, %s, %s; must be positive, positive, and 0 or more"
              .formatted(softTerm, k1, weight, modelIdf));
    }
    this.softTerm = Objects.requireNonNull(softTerm);
    this.textField = Objects.requireNonNull(textField);
    this.model = Objects.requireNonNull(model);
    this.k1 = k1;
    this.weight = weight;
    this.modelIdf = modelIdf;
  }

  /**
   * The term.
   *
   * @return of the soft field
   */
  public Term getTerm() {
    return softTerm;
  }

  @Override
  public Weight createWeight(IndexSearcher searcher, ScoreMode scoreMode, float boost)
      throws IOException {
    checkModel(searcher);
    float idf = scoreMode.needsScores() ? idf(searcher) : 0f;
    Weight scored =
        FeatureField.newSaturationQuery(softTerm.field(), softTerm.text(), 1f, k1)
            .createWeight(searcher, scoreMode, boost * idf * weight);
    return new ExplainedWeight(scored, boost, idf);
  }

  private void checkModel(IndexSearcher searcher) throws IOException {
    for (LeafReaderContext leaf : searcher.getLeafContexts()) {
      for (SoftFieldMark mark : SoftFieldMark.in(leaf.reader(), softTerm.field())) {
        if (!model.equals(mark.model())) {
          throw new IllegalStateException(
              "field '%s' was written with the contextual model %s, but is queried with %s; query it with the same, or write the index anew"
                  .formatted(softTerm.field(), mark.model(), model));
        }
      }
    }
  }

  private float idf(IndexSearcher searcher) throws IOException {
    Term term = new Term(textField, softTerm.bytes());
    CollectionStatistics collection = searcher.collectionStatistics(textField);
    TermStates states = TermStates.build(searcher, term, true);
    TermStatistics stats = SearcherStatistics.of(searcher, term, states);
    return collection == null || stats == null
        ? modelIdf
        : (float) SemanticBM25Similarity.bm25Idf(stats.docFreq(), collection.docCount());
  }

  private final class ExplainedWeight extends FilterWeight {
    private final float boost;
    private final float idf;

    ExplainedWeight(Weight in, float boost, float idf) {
      super(ContextualTermQuery.this, in);
      this.boost = boost;
      this.idf = idf;
    }

    @Override
    public Explanation explain(LeafReaderContext context, int doc) throws IOException {
      Explanation scored = in.explain(context, doc);
      if (!scored.isMatch()) {
        return Explanation.noMatch("no soft frequency of " + softTerm);
      }
      // the 17 bits that FeatureField keeps of a value
      float value = Float.intBitsToFloat(frequency(context, softTerm, doc) << 15);
      int literal = frequency(context, new Term(textField, softTerm.bytes()), doc);
      return Explanation.match(
          scored.getValue(),
          "contextual("
              + softTerm
              + " in "
              + doc
              + "), computed as boost * idf * weight * V / (V + k1) from:",
          Explanation.match(boost, "boost"),
          Explanation.match(idf, "idf, of the term in " + textField),
          Explanation.match(weight, "weight, how much the model lets the term count, and BM25"),
          Explanation.match(k1, "k1, saturation"),
          Explanation.match(value, "V, made of literal and soft frequency, length normalized"),
          Explanation.match(literal, "termFreq, occurrences in the text, part of V"));
    }

    private int frequency(LeafReaderContext context, Term term, int doc) throws IOException {
      PostingsEnum postings = context.reader().postings(term, PostingsEnum.FREQS);
      return postings != null && postings.advance(doc) == doc ? postings.freq() : 0;
    }
  }

  @Override
  public void visit(QueryVisitor visitor) {
    if (visitor.acceptField(softTerm.field())) {
      visitor.consumeTerms(this, softTerm);
    }
  }

  @Override
  public String toString(String field) {
    String name = softTerm.field().equals(field) ? "" : softTerm.field() + ":";
    return "contextual(" + name + softTerm.text() + ")";
  }

  @Override
  public boolean equals(Object other) {
    return sameClassAs(other)
        && softTerm.equals(((ContextualTermQuery) other).softTerm)
        && textField.equals(((ContextualTermQuery) other).textField)
        && model.equals(((ContextualTermQuery) other).model)
        && Float.compare(k1, ((ContextualTermQuery) other).k1) == 0
        && Float.compare(weight, ((ContextualTermQuery) other).weight) == 0
        && Float.compare(modelIdf, ((ContextualTermQuery) other).modelIdf) == 0;
  }

  @Override
  public int hashCode() {
    return Objects.hash(classHash(), softTerm, textField, model, k1, weight, modelIdf);
  }
}
