package org.semanticbm25.opensearch;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;

/** What a node has done since it started. Thread-safe. */
final class NodeStats {
  /** Upper bounds of the latency histogram are powers of two of a millisecond, the last is open. */
  static final int BUCKETS = 16;

  private final AtomicInteger running = new AtomicInteger();
  private final LongAdder reranked = new LongAdder();
  private final LongAdder passages = new LongAdder();
  private final LongAdder rejected = new LongAdder();
  private final LongAdder timedOut = new LongAdder();
  private final AtomicLongArray latency = new AtomicLongArray(BUCKETS);
  private final LongAdder encodedPassages = new LongAdder();
  private final LongAdder encodingNanos = new LongAdder();

  void began() {
    running.incrementAndGet();
  }

  void ended(int scored, long nanos) {
    running.decrementAndGet();
    reranked.increment();
    passages.add(scored);
    long millis = nanos / 1_000_000;
    latency.incrementAndGet(Math.min(BUCKETS - 1, 64 - Long.numberOfLeadingZeros(millis)));
  }

  void rejected() {
    rejected.increment();
  }

  void timedOut() {
    timedOut.increment();
  }

  void encoded(int count, long nanos) {
    encodedPassages.add(count);
    encodingNanos.add(nanos);
  }

  /**
   * The counts at this moment.
   *
   * @param fields of the node
   */
  StatsSnapshot snapshot(SemanticFields fields) {
    List<Long> histogram = IntStream.range(0, BUCKETS).mapToObj(latency::get).toList();
    return new StatsSnapshot(
        running.get(),
        reranked.sum(),
        passages.sum(),
        rejected.sum(),
        timedOut.sum(),
        histogram,
        encodedPassages.sum(),
        encodingNanos.sum() / 1_000_000,
        fields.hits(),
        fields.misses());
  }
}
