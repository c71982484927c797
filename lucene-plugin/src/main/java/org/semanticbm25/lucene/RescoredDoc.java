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

  RescoredDoc(ScoreDoc firstPass, float score) {
    super(firstPass.doc, score, firstPass.shardIndex);
    this.firstPassScore = firstPass.score;
  }

  @Override
  public String toString() {
    return super.toString() + " firstPassScore=" + firstPassScore;
  }
}
