package org.semanticbm25.similarity.search;

import java.io.IOException;
import java.util.Arrays;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.search.DocAndFloatFeatureBuffer;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.FixedBitSet;

/**
 * The union of weighted postings, with {@code freq() = sum of weight * tf}.
 *
 * <p>A query term has some ten soft terms at most, where a scan over an array of document ids costs
 * no more than a heap does and keeps the order of summation.
 */
final class WeightedDisjunction extends DocIdSetIterator {
  private final PostingsEnum[] postings;
  private final double[] weights;
  private final int[] docs;
  private int doc = -1;

  WeightedDisjunction(PostingsEnum[] postings, double[] weights) {
    this.postings = postings;
    this.weights = weights;
    this.docs = new int[postings.length];
    Arrays.fill(docs, -1);
  }

  @Override
  public int docID() {
    return doc;
  }

  /** The soft frequency in the current document. */
  float freq() throws IOException {
    double freq = 0;
    for (int i = 0; i < docs.length; i++) {
      if (docs[i] == doc) {
        freq += weights[i] * postings[i].freq();
      }
    }
    return (float) freq;
  }

  @Override
  public int nextDoc() throws IOException {
    int next = NO_MORE_DOCS;
    for (int i = 0; i < docs.length; i++) {
      if (docs[i] == doc) {
        docs[i] = postings[i].nextDoc();
      }
      next = Math.min(next, docs[i]);
    }
    doc = next;
    return doc;
  }

  /** Stays where it is if the target is the current document. */
  @Override
  public int advance(int target) throws IOException {
    int next = NO_MORE_DOCS;
    for (int i = 0; i < docs.length; i++) {
      if (docs[i] < target) {
        docs[i] = postings[i].advance(target);
      }
      next = Math.min(next, docs[i]);
    }
    doc = next;
    return doc;
  }

  /**
   * Adds the soft frequencies of the documents in [{@code min}, {@code max}) to {@code freqs}, at
   * {@code doc - min}, marks them in {@code matches}, and moves to the first document after them.
   */
  void addUpTo(
      int min, int max, double[] freqs, FixedBitSet matches, DocAndFloatFeatureBuffer buffer)
      throws IOException {
    int next = NO_MORE_DOCS;
    for (int i = 0; i < docs.length; i++) {
      if (docs[i] < max) {
        addUpTo(i, min, max, freqs, matches, buffer);
        docs[i] = postings[i].docID();
      }
      next = Math.min(next, docs[i]);
    }
    doc = next;
  }

  private void addUpTo(
      int i, int min, int max, double[] freqs, FixedBitSet matches, DocAndFloatFeatureBuffer buffer)
      throws IOException {
    double weight = weights[i];
    PostingsEnum in = postings[i];
    for (in.nextPostings(max, buffer); buffer.size > 0; in.nextPostings(max, buffer)) {
      for (int j = 0; j < buffer.size; j++) {
        int offset = buffer.docs[j] - min;
        freqs[offset] += weight * buffer.features[j];
        matches.set(offset);
      }
    }
  }

  @Override
  public long cost() {
    long cost = 0;
    for (PostingsEnum in : postings) {
      cost += in.cost();
    }
    return cost;
  }
}
