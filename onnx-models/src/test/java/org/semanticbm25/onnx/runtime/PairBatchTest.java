package org.semanticbm25.onnx.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.semanticbm25.onnx.runtime.PairBatch.Window;

class PairBatchTest {
  private static List<Window> windows(int... sizes) {
    return IntStream.range(0, sizes.length).mapToObj(i -> new Window(i, 0, sizes[i])).toList();
  }

  @Test
  void eachWindowIsInOneBatchOfLimitedSize() {
    List<Window> windows = windows(new Random(1).ints(500, 1, 500).toArray());
    Set<Window> seen = new HashSet<>();
    int last = Integer.MAX_VALUE;
    for (PairBatch batch : PairBatch.of(windows, 12, 2)) {
      assertTrue(batch.windows().size() <= 8, batch::toString);
      assertTrue(
          batch.windows().size() == 1 || batch.windows().size() * batch.length() <= 384,
          batch::toString);
      assertEquals(
          12 + batch.windows().stream().mapToInt(Window::size).max().orElseThrow(), batch.length());
      assertTrue(batch.length() <= last, "the longest first");
      last = batch.length();
      batch.windows().forEach(window -> assertTrue(seen.add(window), window::toString));
    }
    assertEquals(new HashSet<>(windows), seen);
  }

  private static List<Integer> sizes(int windows, int tokens, int threads) {
    return PairBatch.of(
            windows(IntStream.generate(() -> tokens).limit(windows).toArray()), 12, threads)
        .stream()
        .map(batch -> batch.windows().size())
        .toList();
  }

  @Test
  void threadsHaveEqualShares() {
    assertEquals(List.of(3, 2), sizes(5, 10, 2));
    assertEquals(List.of(3, 3, 2, 2), sizes(10, 100, 2));
    assertEquals(List.of(3, 3, 2, 2), sizes(10, 100, 1));
    assertEquals(List.of(1, 1), sizes(2, 10, 4));
    assertEquals(List.of(), sizes(0, 10, 2));
  }
}
