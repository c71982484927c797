package org.semanticbm25.onnx.attention;

import java.util.ArrayList;
import java.util.List;
import org.semanticbm25.onnx.attention.AttentionTaps.Mass;

/**
 * The semantic BM25 that a cross-encoder computes in its first layers, as a function of attention:
 *
 * <pre>
 *   score(q, d) = bias + 1/n * sum over query tokens i of
 *       [ w * idf_i + sum over heads h of ( u_h * m_h(q_i, d) + v_h * idf_i * m_h(q_i, d) ) ]
 * </pre>
 *
 * <p>{@code n} is the number of query tokens, {@code m_h(q_i, d)} the attention of token i to the
 * passage in head h, a soft term frequency that saturates by itself because it is the part of a
 * softmax, and {@code idf_i} the token's value on the IDF direction of the embedding matrix. After
 * Lu, Chen and Eickhoff, "Pathway to Relevance: How Cross-Encoders Implement a Semantic Variant of
 * BM25", EMNLP 2025. There a query position has weights of its own, and a query length a fit of its
 * own; here one set of weights serves all queries, attention to the final {@code [SEP]} is left
 * out, and every head of the layers has a part, large or small.
 *
 * <p>It approximates the logit of the cross-encoder. Immutable and thread-safe.
 */
public final class AttentionFunction {
  private final int layers;
  private final float[] idf;
  private final float bias;
  private final float idfWeight;
  private final float[] massWeights;
  private final float[] idfMassWeights;

  /**
   * Creates a function. The arrays are kept, not copied.
   *
   * @param layers that attention is taken from
   * @param idf by token id, mean 0 and deviation 1 over the vocabulary
   * @param bias value of the function without a query
   * @param idfWeight w
   * @param massWeights u, by head, layer after layer
   * @param idfMassWeights v, likewise
   * @throws IllegalArgumentException if the bias or a weight is not finite
   */
  public AttentionFunction(
      int layers,
      float[] idf,
      float bias,
      float idfWeight,
      float[] massWeights,
      float[] idfMassWeights) {
    this.layers = layers;
    this.idf = idf;
    this.bias = bias;
    this.idfWeight = idfWeight;
    this.massWeights = massWeights;
    this.idfMassWeights = idfMassWeights;
    for (float[] values : new float[][] {{bias, idfWeight}, massWeights, idfMassWeights}) {
      for (float value : values) {
        if (!Float.isFinite(value)) {
          throw new IllegalArgumentException("illegal weight: " + value + ", must be finite");
        }
      }
    }
  }

  /**
   * The features of a pair: mean idf, and for each head mean mass and mean idf times mass. Means
   * are over the tokens of the query.
   *
   * @param mass attention of the query to the passage
   * @param idf by token id
   * @return as many as {@link #featureCount} says; a single 0 if the query has no tokens
   */
  public static double[] features(Mass mass, float[] idf) {
    int tokens = mass.queryTokens().length;
    double[] features = new double[featureCount(mass.heads())];
    for (int i = 0; i < tokens; i++) {
      double tokenIdf = idf[mass.queryTokens()[i]];
      features[0] += tokenIdf / tokens;
      for (int head = 0; head < mass.heads(); head++) {
        double share = mass.of(head, i) / (double) tokens;
        features[massFeature(head)] += share;
        features[idfMassFeature(head)] += tokenIdf * share;
      }
    }
    return features;
  }

  /**
   * Number of features of a pair: one for idf, two for each head.
   *
   * @param heads in all layers together
   * @return length of what {@link #features} returns
   */
  public static int featureCount(int heads) {
    return 1 + 2 * heads;
  }

  /**
   * Position of a head's mean mass among the features.
   *
   * @param head number of the head, from 0, layer after layer
   * @return index into what {@link #features} returns
   */
  public static int massFeature(int head) {
    return 1 + 2 * head;
  }

  /**
   * Position of a head's mean idf times mass among the features.
   *
   * @param head number of the head, from 0, layer after layer
   * @return index into what {@link #features} returns
   */
  public static int idfMassFeature(int head) {
    return 2 + 2 * head;
  }

  /**
   * Number of layers that attention is taken from.
   *
   * @return at least 1
   */
  public int layers() {
    return layers;
  }

  /**
   * Value of the function without a query.
   *
   * @return finite, on the scale of the cross-encoder's logits
   */
  public float bias() {
    return bias;
  }

  /**
   * The weight w of a token's idf.
   *
   * @return finite
   */
  public float idfWeight() {
    return idfWeight;
  }

  /**
   * The weight u of a head's attention.
   *
   * @param head number of the head, from 0, layer after layer
   * @return finite; 0 for a head without a part
   */
  public float massWeight(int head) {
    return massWeights[head];
  }

  /**
   * The weight v of a head's attention times the token's idf.
   *
   * @param head number of the head, from 0, layer after layer
   * @return finite; 0 for a head without a part
   */
  public float idfMassWeight(int head) {
    return idfMassWeights[head];
  }

  float[] idf() {
    return idf;
  }

  /**
   * The score of a pair.
   *
   * @param mass of at least these layers
   * @return approximation of the cross-encoder's logit; the bias if the query has no tokens
   */
  public float score(Mass mass) {
    int tokens = mass.queryTokens().length;
    double sum = 0;
    for (int i = 0; i < tokens; i++) {
      double tokenIdf = idf[mass.queryTokens()[i]];
      sum += idfWeight * tokenIdf;
      for (int head = 0; head < massWeights.length; head++) {
        sum += weight(head, tokenIdf) * mass.of(head, i);
      }
    }
    return (float) (bias + (tokens == 0 ? 0 : sum / tokens));
  }

  private double weight(int head, double tokenIdf) {
    return massWeights[head] + idfMassWeights[head] * tokenIdf;
  }

  /**
   * What a query token adds to a score, and what of that comes from each token of the passage.
   *
   * @param token number of the query token
   * @param idf of the token
   * @param fromIdf what it adds whatever the passage is
   * @param fromPassage what it adds for each token of the passage
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Contribution(int token, float idf, double fromIdf, double[] fromPassage) {
    /**
     * All that the query token adds.
     *
     * @return share of the score, on the scale of the cross-encoder's logits
     */
    public double sum() {
      double sum = fromIdf;
      for (double part : fromPassage) {
        sum += part;
      }
      return sum;
    }
  }

  /**
   * Takes a score apart: with {@link #bias()} the contributions add up to it, since attention to a
   * passage is the sum of that to its tokens.
   *
   * @param matches attention between the tokens of a query and a passage, in at least these layers
   * @return one for each token of the query, in their order
   */
  public List<Contribution> contributions(AttentionTaps.Matches matches) {
    int tokens = matches.queryTokens().length;
    List<Contribution> contributions = new ArrayList<>();
    for (int i = 0; i < tokens; i++) {
      float tokenIdf = idf[matches.queryTokens()[i]];
      double[] fromPassage = new double[matches.passageTokens().length];
      for (int head = 0; head < massWeights.length; head++) {
        double weight = weight(head, tokenIdf) / tokens;
        for (int t = 0; t < fromPassage.length; t++) {
          fromPassage[t] += weight * matches.attention()[head][i][t];
        }
      }
      double fromIdf = (double) idfWeight * tokenIdf / tokens;
      contributions.add(new Contribution(i, tokenIdf, fromIdf, fromPassage));
    }
    return contributions;
  }
}
