package org.semanticbm25.onnx.distill;

import java.util.List;

/**
 * A query, passages, and what the cross-encoder thinks of them.
 *
 * @param query numbers of its terms, distinct
 * @param passages at least one, as bags of terms
 * @param logits by passage, finite
 */
@SuppressWarnings("ArrayRecordComponent")
public record TermRanking(int[] query, List<TermBag> passages, float[] logits) {
  /**
   * Checks the sizes and the logits, and copies the list of passages.
   *
   * @throws IllegalArgumentException if the query or the passages are none, or a logit is not
   *     finite or missing
   */
  public TermRanking {
    if (query.length == 0 || passages.isEmpty() || passages.size() != logits.length) {
      throw new IllegalArgumentException(
          "illegal ranking: %s terms, %s passages, %s logits"
              .formatted(query.length, passages.size(), logits.length));
    }
    for (float logit : logits) {
      if (!Float.isFinite(logit)) {
        throw new IllegalArgumentException("illegal logit: " + logit + ", must be finite");
      }
    }
    passages = List.copyOf(passages);
  }
}
