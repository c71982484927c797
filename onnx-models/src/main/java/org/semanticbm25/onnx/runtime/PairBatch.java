package org.semanticbm25.onnx.runtime;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Windows of like lengths that run through the model together.
 *
 * @param windows each of one passage
 * @param length of the longest window, with the query and the tokens around both
 */
public record PairBatch(List<Window> windows, int length) {
  /**
   * A part of a passage.
   *
   * @param passage number of the passage
   * @param start first token
   * @param end after the last token
   */
  public record Window(int passage, int start, int end) {
    int size() {
      return end - start;
    }
  }

  /** Room that a query must leave for a passage, in tokens. */
  public static final int MIN_PASSAGE_TOKENS = 64;

  /** Most tokens of a batch of several texts: bigger ones do not stay in a core's cache. */
  public static final int MAX_TOKENS = 384;

  // padding costs
  private static final int MAX_WINDOWS = 8;

  /**
   * Groups windows by length, the longest first and as many batches for each thread, so that
   * threads end at about the same time.
   *
   * @param windows of any passages
   * @param beside number of tokens that stand beside a window: the query's, and those around both
   * @param threads that run the batches
   * @return batches with all the windows: at most 8 in each, and 384 tokens unless one window has
   *     more
   */
  public static List<PairBatch> of(List<Window> windows, int beside, int threads) {
    List<Window> sorted = new ArrayList<>(windows);
    sorted.sort(Comparator.comparingInt(Window::size).reversed());
    List<PairBatch> batches = new ArrayList<>();
    for (int start = 0, end; start < sorted.size(); start = end) {
      int length = sorted.get(start).size() + beside;
      int left = sorted.size() - start;
      int most = Math.clamp(MAX_TOKENS / length, 1, MAX_WINDOWS);
      // a multiple of the threads
      int all = Math.ceilDiv(batches.size() + Math.ceilDiv(left, most), threads) * threads;
      end = start + Math.ceilDiv(left, all - batches.size());
      batches.add(new PairBatch(sorted.subList(start, end), length));
    }
    return batches;
  }
}
