package org.semanticbm25.eval.collection;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.lucene.util.IOUtils;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.crossencoder.PairScorer;

/** A cross-encoder that scores no pair twice, see {@link ScoreCache}. Not thread-safe. */
public final class CachedCrossEncoder implements PairScorer, Closeable {
  private final CrossEncoder encoder;
  private final CachedScorer cached;

  /**
   * @param encoder with its defaults; closed with this
   * @param folder of the scores
   */
  public CachedCrossEncoder(CrossEncoder encoder, Path folder) throws IOException {
    this.encoder = encoder;
    this.cached = new CachedScorer(encoder::score, ScoreCache.open(folder, encoder.model(), ""));
  }

  /** What scores. */
  public CrossEncoder encoder() {
    return encoder;
  }

  @Override
  public float[] score(String query, List<String> passages) throws IOException {
    return cached.score(query, passages);
  }

  @Override
  public void close() throws IOException {
    IOUtils.close(cached, encoder);
  }
}
