package org.semanticbm25.similarity.search;

import java.io.IOException;
import java.util.Arrays;
import org.apache.lucene.index.ImpactsEnum;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.search.DocAndFloatFeatureBuffer;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.ImpactsDISI;
import org.apache.lucene.search.MaxScoreCache;
import org.apache.lucene.search.Scorer;
import org.apache.lucene.search.similarities.Similarity.BulkSimScorer;
import org.apache.lucene.search.similarities.Similarity.SimScorer;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.FixedBitSet;
import org.jspecify.annotations.Nullable;

/**
 * Scores the union of a few weighted postings as one term.
 *
 * <p>Two ways in: a document at a time through {@link #iterator()}, or in batches through {@link
 * #nextDocsAndScores}, which reads each postings list on its own over a window of documents and
 * adds it up in an array. Both add in the order of the postings and in double, so they agree
 * exactly.
 */
final class SoftTermScorer extends Scorer {
  private static final int WINDOW = 1 << 12;

  private final WeightedDisjunction union;
  private final SimScorer simScorer;
  private final BulkSimScorer bulkScorer;
  private final @Nullable NumericDocValues norms;
  private final MaxScoreCache maxScoreCache;
  // null unless this scorer may skip by itself
  private final @Nullable ImpactsDISI skipping;

  // of the size of a window from the first batch on
  private double[] windowFreqs = new double[0];
  private FixedBitSet windowMatches = new FixedBitSet(0);
  private final DocAndFloatFeatureBuffer postingsBuffer = new DocAndFloatFeatureBuffer();
  private long[] normValues = new long[0];

  SoftTermScorer(
      ImpactsEnum[] postings,
      double[] weights,
      SimScorer simScorer,
      @Nullable NumericDocValues norms,
      boolean topLevelScoringClause) {
    this.union = new WeightedDisjunction(postings, weights);
    this.simScorer = simScorer;
    this.bulkScorer = simScorer.asBulkSimScorer();
    this.norms = norms;
    this.maxScoreCache = WeightedImpacts.maxScoreCache(postings, weights, simScorer);
    this.skipping = topLevelScoringClause ? new ImpactsDISI(union, maxScoreCache) : null;
  }

  @Override
  public int docID() {
    return union.docID();
  }

  @Override
  public DocIdSetIterator iterator() {
    return skipping != null ? skipping : union;
  }

  @Override
  public float score() throws IOException {
    long norm = norms != null && norms.advanceExact(union.docID()) ? norms.longValue() : 1L;
    return simScorer.score(union.freq(), norm);
  }

  @Override
  public int advanceShallow(int target) throws IOException {
    return maxScoreCache.advanceShallow(target);
  }

  @Override
  public float getMaxScore(int upTo) throws IOException {
    return maxScoreCache.getMaxScore(upTo);
  }

  @Override
  public void setMinCompetitiveScore(float minScore) {
    if (skipping != null) {
      skipping.setMinCompetitiveScore(minScore);
    }
  }

  @Override
  public void nextDocsAndScores(int upTo, @Nullable Bits liveDocs, DocAndFloatFeatureBuffer buffer)
      throws IOException {
    if (windowFreqs.length == 0) {
      windowFreqs = new double[WINDOW];
      windowMatches = new FixedBitSet(WINDOW);
    }
    do {
      if (skipping != null && docID() != DocIdSetIterator.NO_MORE_DOCS) {
        // stays on the current document if that is competitive
        skipping.advance(docID());
      }
      int windowMin = docID();
      if (windowMin >= upTo) {
        buffer.size = 0;
        return;
      }
      int windowMax = (int) Math.min(upTo, (long) windowMin + WINDOW);
      union.addUpTo(windowMin, windowMax, windowFreqs, windowMatches, postingsBuffer);
      flushWindow(windowMin, windowMax - windowMin, buffer);
      if (liveDocs != null) {
        buffer.apply(liveDocs);
      }
      // a window whose matches are all deleted must not look like the end
    } while (buffer.size == 0);
    scoreBuffer(buffer);
  }

  /** Moves the window's matches to the buffer and leaves the window empty. */
  private void flushWindow(int windowMin, int length, DocAndFloatFeatureBuffer buffer) {
    buffer.growNoCopy(length);
    long[] words = windowMatches.getBits();
    int size = 0;
    for (int w = 0, end = FixedBitSet.bits2words(length); w < end; w++) {
      for (long word = words[w]; word != 0; word &= word - 1) {
        int i = (w << 6) + Long.numberOfTrailingZeros(word);
        buffer.docs[size] = windowMin + i;
        buffer.features[size++] = (float) windowFreqs[i];
        windowFreqs[i] = 0d;
      }
      words[w] = 0;
    }
    buffer.size = size;
  }

  private void scoreBuffer(DocAndFloatFeatureBuffer buffer) throws IOException {
    if (normValues.length < buffer.size) {
      normValues = new long[WINDOW];
      Arrays.fill(normValues, 1L);
    }
    if (norms != null) {
      norms.longValues(buffer.size, buffer.docs, normValues, 1L);
    }
    bulkScorer.score(buffer.size, buffer.features, normValues, buffer.features);
  }
}
