package org.semanticbm25.eval.collection;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.semanticbm25.onnx.crossencoder.PairScorer;

/** Scores no pair twice, see {@link ScoreCache}. Not thread-safe. */
public final class CachedScorer implements PairScorer, Closeable {
  // so many scores are lost at most when the process is killed
  private static final int BATCH = 100;

  private final PairScorer scorer;
  private final ScoreCache cache;

  /**
   * @param scorer what is asked for scores that are not known
   * @param cache of its scores; closed with this
   */
  public CachedScorer(PairScorer scorer, ScoreCache cache) {
    this.scorer = scorer;
    this.cache = cache;
  }

  @Override
  public float[] score(String query, List<String> passages) throws IOException {
    float[] scores = new float[passages.size()];
    List<Integer> missing = new ArrayList<>();
    for (int i = 0; i < scores.length; i++) {
      Float known = cache.get(query, passages.get(i));
      if (known == null) {
        missing.add(i);
      } else {
        scores[i] = known;
      }
    }
    for (int from = 0; from < missing.size(); from += BATCH) {
      List<Integer> some = missing.subList(from, Math.min(from + BATCH, missing.size()));
      List<String> texts = some.stream().map(passages::get).toList();
      float[] added = scorer.score(query, texts);
      cache.add(query, texts, added);
      for (int i = 0; i < added.length; i++) {
        scores[some.get(i)] = added[i];
      }
    }
    return scores;
  }

  @Override
  public void close() throws IOException {
    cache.close();
  }
}
