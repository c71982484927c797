package org.semanticbm25.similarity.field;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.lucene.index.Term;
import org.apache.lucene.util.BytesRef;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.similarity.field.NearestTerms.Neighbour;
import org.semanticbm25.similarity.model.CosineScan;
import org.semanticbm25.similarity.model.CosineSketch;
import org.semanticbm25.similarity.model.SemanticBM25Model;
import org.semanticbm25.similarity.model.TermVectors;
import org.semanticbm25.similarity.model.Wordpieces;

/**
 * Finds, for a query term, its weight, its IDF value and the terms of the field that are nearest to
 * it. A term that the model does not know goes by the wordpieces of its word.
 *
 * <p>The nearest terms are found by comparing with all terms of the field. Of {@value
 * #LEAST_FOR_SKETCH} terms and more only those are compared that are likely to be among the
 * nearest. The answers for the last {@value #CACHED_TERMS} different terms are kept. Thread-safe.
 */
final class RelatedTerms {
  /** Most neighbours of a term. */
  static final int MAX_NEIGHBOURS = 16;

  private static final int CACHED_TERMS = 10_000;
  // fewer are compared fast enough, and none is missed
  private static final int LEAST_FOR_SKETCH = 200_000;

  private final SemanticBM25Model model;
  private final FieldTerms terms;
  private @Nullable Candidates candidates;
  private final Map<Key, List<Neighbour>> cache =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, List<Neighbour>> eldest) {
          return size() > CACHED_TERMS;
        }
      };

  /** A term that the model knows, without a word; else the word, whose wordpieces count. */
  private record Key(BytesRef term, String word) {}

  RelatedTerms(SemanticBM25Model model, FieldTerms terms) {
    this.model = model;
    this.terms = terms;
    // of few terms made at its first use: the field may only be made to be given attached terms
    this.candidates = terms.size() < LEAST_FOR_SKETCH ? null : likely();
  }

  /**
   * How much a term counts in a query, on top of its IDF.
   *
   * @param term as it is indexed
   * @param word that it was made of, as far as that is known
   */
  float weight(BytesRef term, String word) {
    int ordinal = terms.ordinal(term);
    if (ordinal >= 0) {
      return terms.weight(ordinal);
    }
    int[] spelling = spelling(word);
    return spelling.length == 0 ? 1f : model.weight(spelling);
  }

  /**
   * The terms of the field that are nearest to a term, the nearest first.
   *
   * @param term as it is indexed
   * @param word that it was made of, as far as that is known
   */
  List<Neighbour> neighbours(BytesRef term, String word) {
    int ordinal = terms.ordinal(term);
    Key key = ordinal >= 0 ? new Key(terms.term(ordinal), "") : new Key(new BytesRef(), word);
    synchronized (cache) {
      List<Neighbour> known = cache.get(key);
      if (known != null) {
        return known;
      }
    }
    List<Neighbour> found;
    if (ordinal >= 0) {
      found = nearest(terms.vectors(), ordinal);
    } else {
      int[] spelling = spelling(word);
      if (spelling.length == 0) {
        // not cached: numbers would drive words out
        return List.of();
      }
      found = nearest(meanVector(spelling), 0);
    }
    synchronized (cache) {
      cache.put(key, found);
    }
    return found;
  }

  /** Whether both give the same IDF values. */
  boolean hasIdfOf(RelatedTerms other) {
    return model.id().equals(other.model.id()) && terms.hasIdfOf(other.terms);
  }

  /** The IDF value of a term, or NaN. */
  float idf(BytesRef term) {
    int ordinal = terms.ordinal(term);
    if (ordinal >= 0) {
      return terms.idf(ordinal);
    }
    int[] spelling = spelling(Term.toString(term));
    return spelling.length == 0 ? Float.NaN : model.idf(spelling);
  }

  /** Whether a term that is no term of the field is a word that its wordpieces stand for. */
  boolean isSpelt(BytesRef term) {
    return spelling(Term.toString(term)).length > 0;
  }

  /** The wordpieces of a word; none of what is no word. */
  private int[] spelling(String word) {
    return Wordpieces.isWord(word) ? model.wordpieces().spell(word) : new int[0];
  }

  private TermVectors meanVector(int[] spelling) {
    int dimensions = model.vectors().dimensions();
    float[] sum = new float[dimensions];
    for (int piece : spelling) {
      float[] unit = model.vectors().unit(piece);
      for (int d = 0; d < dimensions; d++) {
        sum[d] += unit[d];
      }
    }
    return TermVectors.quantize(dimensions, new float[][] {sum});
  }

  /** The nearest terms to a vector, without the term whose own vector it is. */
  private List<Neighbour> nearest(TermVectors vectors, int row) {
    NearestTerms nearest = new NearestTerms(MAX_NEIGHBOURS, vectors == terms.vectors() ? row : -1);
    candidates().offer(vectors, row, nearest);
    return nearest.best();
  }

  /** Offers terms that may be among the nearest to a vector. */
  private interface Candidates {
    void offer(TermVectors vectors, int row, NearestTerms nearest);
  }

  private synchronized Candidates candidates() {
    if (candidates == null) {
      candidates = all();
    }
    return candidates;
  }

  private Candidates all() {
    CosineScan scan = new CosineScan(terms.vectors());
    return (vectors, row, nearest) ->
        scan.scan(
            vectors,
            row,
            (first, cosines, count) -> {
              for (int i = 0; i < count; i++) {
                nearest.offer(first + i, cosines[i]);
              }
            });
  }

  private Candidates likely() {
    CosineSketch sketch = new CosineSketch(terms.vectors());
    return (vectors, row, nearest) -> sketch.search(vectors, row, nearest::offer);
  }
}
