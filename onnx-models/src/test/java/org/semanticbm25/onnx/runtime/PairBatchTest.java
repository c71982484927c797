package org.semanticbm25.onnx.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
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

  @Test
  void fewWindowsAreSharedAmongThreads() {
    List<Integer> sizes = new ArrayList<>();
    PairBatch.of(windows(10, 10, 10, 10, 10), 12, 2).forEach(b -> sizes.add(b.windows().size()));
    assertEquals(List.of(3, 2), sizes);
    assertEquals(List.of(), PairBatch.of(List.of(), 12, 2));
  }
}
