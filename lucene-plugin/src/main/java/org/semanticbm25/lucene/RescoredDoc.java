package org.semanticbm25.lucene;

import org.apache.lucene.search.ScoreDoc;

/**
 * A hit with a new score that remembers the score it had.
 *
 * @lucene.experimental
 */
public final class RescoredDoc extends ScoreDoc {
  /** The score of the first pass. */
  public final float firstPassScore;

  /** Whether the document has a text. If not, it was scored as an empty one, or not at all. */
  public final boolean hasText;

  RescoredDoc(ScoreDoc firstPass, float score, boolean hasText) {
    super(firstPass.doc, score, firstPass.shardIndex);
    this.firstPassScore = firstPass.score;
    this.hasText = hasText;
  }

  @Override
  public String toString() {
    return super.toString() + " firstPassScore=" + firstPassScore;
  }
}
