package org.semanticbm25.similarity.search;

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
 * give away most of what can be skipped. So impacts here count in units of 1/{@value #UNIT}, and
 * the similarity that turns them into scores divides. The unit is a power of two, so that the
 * division is exact and a bound stays a bound.
 */
final class WeightedImpacts implements ImpactsSource {
  private static final int UNIT = 64;

  private final ImpactsEnum[] parts;
  private final double[] weights;

  private WeightedImpacts(ImpactsEnum[] parts, double[] weights) {
    this.parts = parts;
    this.weights = weights;
  }

  static MaxScoreCache maxScoreCache(ImpactsEnum[] parts, double[] weights, SimScorer scorer) {
    return new MaxScoreCache(new WeightedImpacts(parts, weights), new FixedPointScorer(scorer));
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
    int levels = 0;
    for (int i = 0; i < parts.length; i++) {
      if (parts[i].docID() != DocIdSetIterator.NO_MORE_DOCS) {
        impacts[i] = parts[i].getImpacts();
        levels = Math.max(levels, impacts[i].numLevels());
      }
    }
    return levels == 0 ? NO_DOCUMENTS : new Merged(impacts, levels);
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
          return new FreqAndNormBuffer();
        }
      };

  private final class Merged extends Impacts {
    // null where a part is exhausted
    private final Impacts[] impacts;
    // a level ends where that of any part does
    private final int[] upTo;

    Merged(Impacts[] impacts, int levels) {
      this.impacts = impacts;
      this.upTo = new int[levels];
      Arrays.fill(upTo, DocIdSetIterator.NO_MORE_DOCS);
      for (int i = 0; i < impacts.length; i++) {
        for (int level = 0; impacts[i] != null && level < levels; level++) {
          int own = Math.min(level, impacts[i].numLevels() - 1);
          upTo[level] = Math.min(upTo[level], impacts[i].getDocIdUpTo(own));
        }
      }
    }

    @Override
    public int numLevels() {
      return upTo.length;
    }

    @Override
    public int getDocIdUpTo(int level) {
      return upTo[level];
    }

    @Override
    public FreqAndNormBuffer getImpacts(int level) {
      FreqAndNormBuffer[] buffers = new FreqAndNormBuffer[parts.length];
      for (int i = 0; i < parts.length; i++) {
        if (impacts[i] != null && parts[i].docID() <= upTo[level]) {
          int own = 0;
          while (impacts[i].getDocIdUpTo(own) < upTo[level]) {
            own++;
          }
          buffers[i] = impacts[i].getImpacts(own);
        }
      }
      return merge(buffers);
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
