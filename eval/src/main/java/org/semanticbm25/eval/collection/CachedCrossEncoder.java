package org.semanticbm25.eval.collection;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.util.IOUtils;
import org.semanticbm25.lucene.CrossEncoderRescorer;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;

/** A cross-encoder that scores no pair twice, see {@link ScoreCache}. Not thread-safe. */
public final class CachedCrossEncoder implements Closeable {
  // so many scores are lost at most when the process is killed
  private static final int BATCH = 100;

  private final CrossEncoder encoder;
  private final ScoreCache cache;

  /**
   * @param encoder with its defaults; closed with this
   * @param folder of the scores
   */
  public CachedCrossEncoder(CrossEncoder encoder, Path folder) throws IOException {
    this.encoder = encoder;
    this.cache = ScoreCache.open(folder, encoder.model());
  }

  /** What scores. */
  public CrossEncoder encoder() {
    return encoder;
  }

  /** Logits of passages for a query, in their order. */
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
      float[] added = encoder.score(query, texts);
      cache.add(query, texts, added);
      for (int i = 0; i < added.length; i++) {
        scores[some.get(i)] = added[i];
      }
    }
    return scores;
  }

  /** The weight of the first pass's score for a query, see {@link CrossEncoderRescorer}. */
  public double firstPassWeight(String query) {
    return CrossEncoderRescorer.isLong(encoder, query) ? CrossEncoderRescorer.LONG_QUERY_WEIGHT : 0;
  }

  @Override
  public void close() throws IOException {
    IOUtils.close(cache, encoder);
  }
}
