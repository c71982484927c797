package org.semanticbm25.similarity.search;

import java.util.Objects;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.CollectionStatistics;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.TermStatistics;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.util.BytesRef;

/**
 * BM25 whose IDF is blended with the one that a neural model keeps in its word embeddings.
 *
 * <pre>
 *   score = boost * idf * freq / (freq + k1 * (1 - b + b * dl / avgdl))
 *   idf   = (1 - blend) * idf of the collection + blend * idf of the model
 * </pre>
 *
 * <p>The saturation and length normalisation are those of Robertson and Walker (TREC 1994) as
 * {@link BM25Similarity} computes them, with the same length norms, so an index written with {@code
 * BM25Similarity} needs no re-indexing. The model's IDF is the first singular direction of its
 * embedding matrix (Lu, Chen and Eickhoff, <i>Pathway to Relevance</i>, EMNLP 2025), scaled to the
 * collection (see {@link TermIdf}). Where the paper has a regression on top, this class keeps the
 * one closed form, so that scores are comparable between queries and can be skipped by impacts.
 *
 * <p>With {@code blend = 0}, and for every term that the model does not know, scores are exactly
 * those of {@code BM25Similarity(k1, b)}. {@code freq} may be a soft frequency: see {@link
 * SoftTermQuery}. Thread-safe if its {@link TermIdf} is.
 *
 * @lucene.experimental
 */
public final class SemanticBM25Similarity extends BM25Similarity {
  private final float blend;
  private final TermIdf termIdf;

  /** The IDF of a model's terms, on the scale of a collection. */
  @FunctionalInterface
  public interface TermIdf {
    /** Knows no term. */
    TermIdf NONE = (term, passages) -> Float.NaN;

    /**
     * The IDF of a term.
     *
     * @param term a term as it is indexed; the callee must not keep or change it
     * @param passages number of documents of the collection that have the field
     * @return a finite value of at least 0, or {@link Float#NaN} for a term that the model does not
     *     know
     */
    float idf(BytesRef term, long passages);
  }

  /**
   * Makes a similarity.
   *
   * @param k1 saturation, finite and not negative
   * @param b length normalisation, in [0, 1]
   * @param blend share of the model's IDF, in [0, 1]
   * @param termIdf the model's IDF
   * @throws IllegalArgumentException if a number is out of its range
   */
  public SemanticBM25Similarity(float k1, float b, float blend, TermIdf termIdf) {
    super(k1, b);
    if (!(blend >= 0f && blend <= 1f)) {
      throw new IllegalArgumentException(
          "illegal blend value: " + blend + ", must be between 0 and 1");
    }
    this.blend = blend;
    this.termIdf = Objects.requireNonNull(termIdf);
  }

  @Override
  public Explanation idfExplain(CollectionStatistics collectionStats, TermStatistics termStats) {
    Explanation collection = super.idfExplain(collectionStats, termStats);
    float model =
        blend == 0f ? Float.NaN : termIdf.idf(termStats.term(), collectionStats.docCount());
    if (Float.isNaN(model)) {
      return collection;
    }
    if (!(model >= 0f && Float.isFinite(model))) {
      throw new IllegalStateException(
          "illegal IDF of the model: %s of '%s', must be 0 or more, or NaN"
              .formatted(model, Term.toString(termStats.term())));
    }
    return Explanation.match(
        (1f - blend) * collection.getValue().floatValue() + blend * model,
        "idf, computed as (1 - blend) * collection idf + blend * model idf from:",
        Explanation.match(blend, "blend, share of the model's idf"),
        collection,
        Explanation.match(model, "model idf, from the IDF direction of the embeddings"));
  }

  /**
   * BM25's IDF, {@code log(1 + (N - n + 0.5) / (n + 0.5))}, as {@link BM25Similarity} computes it
   * of an index, for counts from elsewhere.
   *
   * @param frequency number n of documents that hold the term
   * @param documents number N of all documents, at least {@code frequency}
   * @return greater than 0
   */
  public static double bm25Idf(long frequency, long documents) {
    return Math.log(1 + (documents - frequency + 0.5) / (frequency + 0.5));
  }

  /**
   * The share of the model's IDF.
   *
   * @return in [0, 1]
   */
  public float getBlend() {
    return blend;
  }

  /** Equal numbers and the same source of the model's IDF give equal scores. */
  @Override
  public boolean equals(Object other) {
    return other instanceof SemanticBM25Similarity that
        && getK1() == that.getK1()
        && getB() == that.getB()
        && blend == that.blend
        && (blend == 0f || termIdf.equals(that.termIdf));
  }

  @Override
  public int hashCode() {
    return Objects.hash(getK1(), getB(), blend);
  }

  @Override
  public String toString() {
    return "SemanticBM25(k1=" + getK1() + ",b=" + getB() + ",blend=" + blend + ")";
  }
}
