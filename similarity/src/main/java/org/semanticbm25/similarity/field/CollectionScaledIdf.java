package org.semanticbm25.similarity.field;

import org.apache.lucene.util.BytesRef;
import org.semanticbm25.similarity.model.SemanticBM25Model;
import org.semanticbm25.similarity.model.WordTable;
import org.semanticbm25.similarity.search.SemanticBM25Similarity;
import org.semanticbm25.similarity.search.SemanticBM25Similarity.TermIdf;

/**
 * The model's IDF on the scale of a collection: shifted and scaled to the mean and deviation of
 * BM25's IDF over the words of the model's table, in the passages that these were counted in, and
 * then shifted by the logarithm of how many times as large the collection is.
 */
final class CollectionScaledIdf implements TermIdf {
  private final RelatedTerms related;
  private final double factor;
  private final double offset;
  private final int passages;

  CollectionScaledIdf(SemanticBM25Model model, RelatedTerms related) {
    this.related = related;
    WordTable words = model.words();
    this.passages = Math.max(1, words.passages());
    Moments values = new Moments();
    Moments counted = new Moments();
    for (int i = 0; i < words.size(); i++) {
      if (!Float.isNaN(model.idfOfWord(i))) {
        values.add(model.idfOfWord(i));
        counted.add(SemanticBM25Similarity.bm25Idf(words.frequency(i), passages));
      }
    }
    this.factor = values.deviation() == 0 ? 0 : counted.deviation() / values.deviation();
    this.offset = counted.mean() - factor * values.mean();
  }

  private static final class Moments {
    private int count;
    private double sum;
    private double squares;

    void add(double value) {
      count++;
      sum += value;
      squares += value * value;
    }

    double mean() {
      return count == 0 ? 0 : sum / count;
    }

    double deviation() {
      return count == 0 ? 0 : Math.sqrt(Math.max(0, squares / count - mean() * mean()));
    }
  }

  @Override
  public float idf(BytesRef term, long collection) {
    float value = related.idf(term);
    if (Float.isNaN(value)) {
      return value;
    }
    double scaled = offset + factor * value + Math.log((double) collection / passages);
    return (float) Math.max(0, scaled);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CollectionScaledIdf that && related.hasIdfOf(that.related);
  }

  @Override
  public int hashCode() {
    return Double.hashCode(factor);
  }
}
