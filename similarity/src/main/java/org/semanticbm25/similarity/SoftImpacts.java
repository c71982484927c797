package org.semanticbm25.similarity;

import java.io.IOException;
import java.util.Arrays;
import org.apache.lucene.index.FreqAndNormBuffer;
import org.apache.lucene.index.Impacts;
import org.apache.lucene.index.ImpactsEnum;
import org.apache.lucene.index.ImpactsSource;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.MaxScoreCache;
import org.apache.lucene.search.similarities.Similarity.BulkSimScorer;
import org.apache.lucene.search.similarities.Similarity.SimScorer;

/**
 * Impacts of a weighted union: for each norm, the sum of the weighted greatest frequencies that the
 * parts may have at that norm.
 *
 * <p>Lucene's impacts hold whole frequencies, and rounding a soft frequency of 0.3 up to 1 would
 * give away most of what can be skipped. So impacts here count in units of 1/{@value #UNIT}, and the
 * similarity that turns them into scores divides. The unit is a power of two, so that the division
 * is exact and a bound stays a bound.
 */
final class SoftImpacts implements ImpactsSource {
  private static final int UNIT = 64;

  private final ImpactsEnum[] parts;
  private final double[] weights;

  private SoftImpacts(ImpactsEnum[] parts, double[] weights) {
    this.parts = parts;
    this.weights = weights;
  }

  static MaxScoreCache maxScoreCache(ImpactsEnum[] parts, double[] weights, SimScorer scorer) {
    return new MaxScoreCache(new SoftImpacts(parts, weights), new FixedPointScorer(scorer));
  }

  @Override
  public void advanceShallow(int target) throws IOException {
    for (ImpactsEnum part : parts) {
      if (part.docID() < target) {
        part.advanceShallow(target);
      }
    }
  }

  @Override
  public Impacts getImpacts() throws IOException {
    Impacts[] impacts = new Impacts[parts.length];
    // The part whose first block ends first decides where blocks end.
    Impacts lead = null;
    for (int i = 0; i < parts.length; i++) {
      if (parts[i].docID() != DocIdSetIterator.NO_MORE_DOCS) {
        impacts[i] = parts[i].getImpacts();
        if (lead == null || impacts[i].getDocIdUpTo(0) < lead.getDocIdUpTo(0)) {
          lead = impacts[i];
        }
      }
    }
    return lead == null ? NO_DOCUMENTS : new Merged(impacts, lead);
  }

  private static final Impacts NO_DOCUMENTS =
      new Impacts() {
        @Override
        public int numLevels() {
          return 1;
        }

        @Override
        public int getDocIdUpTo(int level) {
          return DocIdSetIterator.NO_MORE_DOCS;
        }

        @Override
        public FreqAndNormBuffer getImpacts(int level) {
          return unbounded();
        }
      };

  private static FreqAndNormBuffer unbounded() {
    FreqAndNormBuffer buffer = new FreqAndNormBuffer();
    buffer.add(Integer.MAX_VALUE, 1L);
    return buffer;
  }

  private final class Merged extends Impacts {
    // null where a part is exhausted
    private final Impacts[] impacts;
    private final Impacts lead;

    Merged(Impacts[] impacts, Impacts lead) {
      this.impacts = impacts;
      this.lead = lead;
    }

    @Override
    public int numLevels() {
      return lead.numLevels();
    }

    @Override
    public int getDocIdUpTo(int level) {
      return lead.getDocIdUpTo(level);
    }

    @Override
    public FreqAndNormBuffer getImpacts(int level) {
      int upTo = getDocIdUpTo(level);
      FreqAndNormBuffer[] buffers = new FreqAndNormBuffer[parts.length];
      for (int i = 0; i < parts.length; i++) {
        if (parts[i].docID() <= upTo && impacts[i] != null) {
          int covering = levelCovering(impacts[i], upTo);
          if (covering == -1) {
            return unbounded();
          }
          buffers[i] = impacts[i].getImpacts(covering);
        }
      }
      return merge(buffers);
    }

    /** The lowest level that is valid up to the document, or -1. */
    private static int levelCovering(Impacts impacts, int upTo) {
      for (int level = 0; level < impacts.numLevels(); level++) {
        if (impacts.getDocIdUpTo(level) >= upTo) {
          return level;
        }
      }
      return -1;
    }
  }

  /**
   * An impact also stands for all greater norms, so at each norm a part contributes the frequency
   * of its last impact up to there. Sums run in the order of the parts, as those of the real soft
   * frequency do: then they cannot be rounded below it.
   */
  private FreqAndNormBuffer merge(FreqAndNormBuffer[] buffers) {
    long[] norms = distinctNorms(buffers);
    int[] next = new int[buffers.length];
    FreqAndNormBuffer merged = new FreqAndNormBuffer();
    merged.growNoCopy(norms.length);
    for (long norm : norms) {
      double bound = 0;
      for (int i = 0; i < buffers.length; i++) {
        FreqAndNormBuffer part = buffers[i];
        if (part == null) {
          continue;
        }
        while (next[i] < part.size && Long.compareUnsigned(part.norms[next[i]], norm) <= 0) {
          next[i]++;
        }
        if (next[i] > 0) {
          bound += weights[i] * part.freqs[next[i] - 1];
        }
      }
      // the cast saturates
      merged.add((int) Math.ceil(bound * UNIT), norm);
    }
    return merged;
  }

  private static long[] distinctNorms(FreqAndNormBuffer[] buffers) {
    int size = 0;
    for (FreqAndNormBuffer part : buffers) {
      size += part == null ? 0 : part.size;
    }
    long[] norms = new long[size];
    size = 0;
    for (FreqAndNormBuffer part : buffers) {
      for (int j = 0; part != null && j < part.size; j++) {
        // flipping the sign bit makes signed order unsigned order
        norms[size++] = part.norms[j] ^ Long.MIN_VALUE;
      }
    }
    Arrays.sort(norms);
    int distinct = 0;
    for (int j = 0; j < size; j++) {
      if (j == 0 || norms[j] != norms[j - 1]) {
        norms[distinct++] = norms[j];
      }
    }
    norms = Arrays.copyOf(norms, distinct);
    for (int j = 0; j < distinct; j++) {
      norms[j] ^= Long.MIN_VALUE;
    }
    return norms;
  }

  /** Scores frequencies that count in units of 1/{@value #UNIT}. */
  private static final class FixedPointScorer extends SimScorer {
    private final SimScorer in;

    FixedPointScorer(SimScorer in) {
      this.in = in;
    }

    private static float decode(float freq) {
      // a saturated frequency stands for any frequency
      return freq >= Integer.MAX_VALUE ? Float.MAX_VALUE : freq / UNIT;
    }

    @Override
    public float score(float freq, long norm) {
      return in.score(decode(freq), norm);
    }

    @Override
    public BulkSimScorer asBulkSimScorer() {
      BulkSimScorer bulk = in.asBulkSimScorer();
      return (size, freqs, norms, scores) -> {
        for (int i = 0; i < size; i++) {
          scores[i] = decode(freqs[i]);
        }
        bulk.score(size, scores, norms, scores);
      };
    }
  }
}
