package org.semanticbm25.similarity.model;

import java.io.IOException;
import org.apache.lucene.store.DataInput;
import org.apache.lucene.store.DataOutput;

/**
 * The few numbers of the semantic BM25 function.
 *
 * <pre>
 *   kernel(cosine) = scale * ((cosine - threshold) / (1 - threshold)) ^ exponent   above the threshold
 *                  = 0                                                             else
 * </pre>
 *
 * <p>A weight below {@value #MIN_WEIGHT} is taken for 0: it would cost a postings list and change
 * nothing.
 *
 * @param k1 saturation of the soft term frequency, finite and not negative
 * @param b length normalisation, in [0, 1]
 * @param threshold least cosine of two term vectors that counts as a match, in [0, 1)
 * @param exponent how fast a weaker match loses weight, positive and finite
 * @param scale weight of a soft match of cosine 1, in [0, 1]; 0 turns soft matches off
 * @param maxSoftTerms most soft terms of one query term, 0 or more
 * @param idfBlend share of the model's IDF against the collection's, in [0, 1]
 * @param weightExponent how far the model's weights of words are followed, in [0, 1]: 0 not at all,
 *     1 as they are
 */
public record ScoringParameters(
    float k1,
    float b,
    float threshold,
    float exponent,
    float scale,
    int maxSoftTerms,
    float idfBlend,
    float weightExponent) {

  /** The least weight of a soft match. */
  public static final float MIN_WEIGHT = 0.05f;

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if a number is out of its range
   */
  public ScoringParameters {
    check(k1 >= 0f && Float.isFinite(k1), "k1", k1, "non-negative and finite");
    check(b >= 0f && b <= 1f, "b", b, "in [0, 1]");
    check(threshold >= 0f && threshold < 1f, "threshold", threshold, "in [0, 1)");
    check(exponent > 0f && Float.isFinite(exponent), "exponent", exponent, "positive and finite");
    check(scale >= 0f && scale <= 1f, "scale", scale, "in [0, 1]");
    check(maxSoftTerms >= 0, "maxSoftTerms", maxSoftTerms, "0 or more");
    check(idfBlend >= 0f && idfBlend <= 1f, "idfBlend", idfBlend, "in [0, 1]");
    check(
        weightExponent >= 0f && weightExponent <= 1f,
        "weightExponent",
        weightExponent,
        "in [0, 1]");
  }

  static void check(boolean legal, String name, float value, String rule) {
    if (!legal) {
      throw new IllegalArgumentException("illegal " + name + ": " + value + ", must be " + rule);
    }
  }

  /**
   * The same with another limit for soft terms.
   *
   * @param limit of soft terms of a query term, 0 or more
   * @return all else as here
   */
  public ScoringParameters withMaxSoftTerms(int limit) {
    return new ScoringParameters(
        k1, b, threshold, exponent, scale, limit, idfBlend, weightExponent);
  }

  /**
   * The weight of a soft match: 0, or in [{@value #MIN_WEIGHT}, 1].
   *
   * @param cosine of the two term vectors; values above 1, from rounding, count as 1
   * @return 0 at the threshold and below
   */
  public float kernel(float cosine) {
    if (cosine <= threshold) {
      return 0f;
    }
    double above = (Math.min(cosine, 1f) - threshold) / (1f - threshold);
    float weight = (float) (scale * Math.pow(above, exponent));
    return weight < MIN_WEIGHT ? 0f : weight;
  }

  void write(DataOutput out) throws IOException {
    for (float number : new float[] {k1, b, threshold, exponent, scale, idfBlend, weightExponent}) {
      out.writeInt(Float.floatToIntBits(number));
    }
    out.writeVInt(maxSoftTerms);
  }

  static ScoringParameters read(DataInput in) throws IOException {
    float[] p = new float[7];
    for (int i = 0; i < p.length; i++) {
      p[i] = Float.intBitsToFloat(in.readInt());
    }
    return new ScoringParameters(p[0], p[1], p[2], p[3], p[4], in.readVInt(), p[5], p[6]);
  }
}
