package org.semanticbm25.opensearch;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.opensearch.OpenSearchTimeoutException;
import org.semanticbm25.onnx.attention.AttentionScorer;

/**
 * Scores passages on a node, of some shards at a time; others wait, each on the search thread that
 * its part of a search holds. {@link Admission} sees to it that few have to. Thread-safe.
 */
final class Reranker {
  // passages whose attention is computed before the clock is looked at again
  private static final int STEP = 16;

  private final Models models;
  private final NodeStats stats;
  private final Semaphore admitted;

  Reranker(Models models, NodeStats stats, int maxShards) {
    this.models = models;
    this.stats = stats;
    this.admitted = new Semaphore(maxShards);
  }

  /** Reads the passages once the request is let in. */
  interface Passages {
    List<String> read() throws IOException;
  }

  /** The functions that can rerank. */
  enum Function {
    CROSS_ENCODER,
    ATTENTION
  }

  /**
   * Scores passages for a query.
   *
   * @throws TimeoutException if time is up
   */
  float[] score(Function function, String model, String query, Passages passages, Duration timeout)
      throws IOException, TimeoutException {
    long start = System.nanoTime();
    stats.began();
    if (!await(timeout)) {
      stats.timedOut();
      stats.ended(0, System.nanoTime() - start);
      throw new TimeoutException("out of time, waiting for other shards");
    }
    int count = 0;
    try {
      List<String> texts = passages.read();
      count = texts.size();
      Duration left = timeout.minusNanos(System.nanoTime() - start);
      if (left.isNegative() || left.isZero()) {
        throw new OpenSearchTimeoutException("out of time");
      }
      return Failures.hidden(
          "reranking with the model [" + model + "]",
          () -> score(function, model, query, texts, left));
    } catch (OpenSearchTimeoutException e) {
      stats.timedOut();
      throw new TimeoutException(e.getMessage());
    } finally {
      stats.ended(count, System.nanoTime() - start);
      admitted.release();
    }
  }

  private boolean await(Duration timeout) throws InterruptedIOException {
    try {
      return admitted.tryAcquire(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  private float[] score(
      Function function, String model, String query, List<String> texts, Duration left)
      throws IOException {
    try {
      return switch (function) {
        case CROSS_ENCODER -> models.crossEncoder(model).score(query, texts, left);
        case ATTENTION -> attention(models.attention(model), query, texts, left);
      };
    } catch (TimeoutException e) {
      throw new OpenSearchTimeoutException("out of time", e);
    }
  }

  private static float[] attention(
      AttentionScorer scorer, String query, List<String> passages, Duration timeout)
      throws IOException, TimeoutException {
    long start = System.nanoTime();
    List<Float> scores = new ArrayList<>();
    for (int from = 0; from < passages.size(); from += STEP) {
      if (System.nanoTime() - start > timeout.toNanos()) {
        throw new TimeoutException(
            "%s passages were not scored within %s".formatted(passages.size(), timeout));
      }
      List<String> some = passages.subList(from, Math.min(from + STEP, passages.size()));
      for (float score : scorer.score(query, some)) {
        scores.add(score);
      }
    }
    float[] all = new float[scores.size()];
    for (int i = 0; i < all.length; i++) {
      all[i] = scores.get(i);
    }
    return all;
  }
}
