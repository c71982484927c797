package org.semanticbm25.onnx.attention;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import org.semanticbm25.onnx.attention.AttentionFunction.Contribution;
import org.semanticbm25.onnx.attention.AttentionTaps.Mass;
import org.semanticbm25.onnx.hub.NeuralModel;

/**
 * Scores pairs by the first layers of a cross-encoder: runs the layers that an {@link
 * AttentionFunction} reads and nothing after them. An approximation of the cross-encoder's logit,
 * at a part of its time.
 *
 * <p>Passages are read as far as they fit. Thread-safe: callers share its threads. Holds native
 * memory until it is closed.
 */
public final class AttentionScorer implements Closeable {
  private final NeuralModel model;
  private final AttentionFunction function;
  private final AttentionTaps taps;

  private AttentionScorer(NeuralModel model, AttentionFunction function, AttentionTaps taps) {
    this.model = model;
    this.function = function;
    this.taps = taps;
  }

  /**
   * Opens the layers of a cross-encoder that a function needs.
   *
   * @param model the cross-encoder that the function was extracted from
   * @param extracted attention model of that cross-encoder
   * @param layers to run, at least 1: fewer are faster and further from the cross-encoder
   * @param threads batches that run side by side
   * @return a scorer, to be closed
   * @throws IOException if the model cannot be opened, or is another one than the function's
   * @throws IllegalArgumentException if there are not that many layers, or threads is less than 1
   */
  public static AttentionScorer open(
      NeuralModel model, AttentionModel extracted, int layers, int threads) throws IOException {
    if (!model.sha256().equals(extracted.provenance().sourceSha256())) {
      throw new IOException(
          "%s: is not the model that the attention model was extracted from (%s); give that one"
              .formatted(model.onnx(), extracted.provenance().source()));
    }
    AttentionFunction function = extracted.function(layers);
    return new AttentionScorer(model, function, AttentionTaps.open(model, layers, threads));
  }

  /**
   * The cross-encoder whose first layers are run.
   *
   * @return as it was opened
   */
  public NeuralModel model() {
    return model;
  }

  /**
   * The function that scores.
   *
   * @return the function of the layers that are run
   */
  public AttentionFunction function() {
    return function;
  }

  /**
   * Scores passages for a query.
   *
   * @param query any text; cut if it leaves a passage too little room
   * @param passages any texts, perhaps none; each is read as far as it fits
   * @return an approximation of the cross-encoder's logit for each passage, in their order
   * @throws IOException if the model fails
   */
  public float[] score(String query, List<String> passages) throws IOException {
    List<Mass> masses = taps.mass(query, passages);
    float[] scores = new float[masses.size()];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = function.score(masses.get(i));
      if (!Float.isFinite(scores[i])) {
        throw new IOException(
            "%s: its attention gives the score %s; fetch the model again"
                .formatted(model.onnx(), scores[i]));
      }
    }
    return scores;
  }

  /**
   * A score taken apart.
   *
   * @param queryTokens texts, as far as the query was read
   * @param passageTokens texts, as far as the passage was read
   * @param contributions of the query tokens, in their order
   */
  public record Reading(
      List<String> queryTokens, List<String> passageTokens, List<Contribution> contributions) {}

  /**
   * Takes the score of a pair apart, into what each query token finds in each passage token.
   *
   * @param query any text; cut if it leaves the passage too little room
   * @param passage any text, read as far as it fits
   * @return tokens and contributions; with the function's bias these add up to the score
   * @throws IOException if the model fails
   */
  public Reading read(String query, String passage) throws IOException {
    AttentionTaps.Matches matches = taps.matches(query, passage);
    return new Reading(
        taps.tokens(matches.queryTokens()),
        taps.tokens(matches.passageTokens()),
        function.contributions(matches));
  }

  @Override
  public void close() throws IOException {
    taps.close();
  }
}
