package org.semanticbm25.onnx.crossencoder;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.testing.RandomText;
import org.semanticbm25.onnx.testing.TinyBert;

/**
 * Four callers on one cross-encoder for ten minutes, and many opened and closed. Not run by
 * default:
 *
 * <pre>./mvnw -q test -pl onnx-models -am -Djacoco.skip -Dtest=CrossEncoderSoak
 *     -Dsurefire.failIfNoSpecifiedTests=false
 *     -Dtest.jvm.args="--enable-native-access=ALL-UNNAMED -Xms3g -XX:+AlwaysPreTouch"</pre>
 *
 * <p>The heap is resident from the start, so that what grows is native.
 */
class CrossEncoderSoak {
  private static final int CALLERS = 4;
  private static final int LISTS = 40;
  private static final Duration LASTING = Duration.ofMinutes(10);
  private static final Path STATUS = Path.of("/proc/self/status");

  @TempDir Path folder;

  @Test
  void scoresStayTheSameAndMemoryFlat() throws Exception {
    Assumptions.assumeTrue(Files.exists(STATUS), "resident memory cannot be read here");
    NeuralModel model = model(new TinyBert.Shape(30_522, 512, 6, 96, 12, 384));
    List<List<String>> lists = lists();
    List<float[]> alone = new ArrayList<>();
    try (CrossEncoder encoder = CrossEncoder.builder(model).threads(1).open()) {
      for (List<String> list : lists) {
        alone.add(encoder.score(list.getFirst(), list));
      }
    }
    LongAdder calls = new LongAdder();
    List<Long> memory = new ArrayList<>();
    try (CrossEncoder encoder = CrossEncoder.builder(model).threads(2).open()) {
      long end = System.nanoTime() + LASTING.toNanos();
      List<CompletableFuture<Void>> callers = new ArrayList<>();
      for (int caller = 0; caller < CALLERS; caller++) {
        int seed = caller;
        callers.add(
            CompletableFuture.runAsync(() -> call(encoder, lists, alone, seed, end, calls)));
      }
      while (System.nanoTime() < end) {
        TimeUnit.SECONDS.sleep(10);
        memory.add(resident());
      }
      for (CompletableFuture<Void> caller : callers) {
        caller.get(1, TimeUnit.MINUTES);
      }
    }
    long first = memory.get(6);
    long last = memory.getLast();
    System.err.printf("%d calls; resident kB every 10 s: %s%n", calls.sum(), memory);
    for (long kilobytes : memory.subList(6, memory.size())) {
      assertTrue(Math.abs(kilobytes - first) <= 0.05 * first, () -> memory.toString());
    }
    assertTrue(last > 0);
  }

  @Test
  void closingFreesWhatOpeningTook() throws Exception {
    Assumptions.assumeTrue(Files.exists(STATUS), "resident memory cannot be read here");
    // a session of some 20 MB
    NeuralModel model = model(new TinyBert.Shape(30_522, 512, 2, 96, 12, 384));
    List<Long> memory = new ArrayList<>();
    for (int round = 0; round < 150; round++) {
      try (CrossEncoder encoder = CrossEncoder.builder(model).threads(2).open()) {
        encoder.score("quick fox", lists().getFirst());
      }
      memory.add(resident());
    }
    System.err.printf("resident kB after every 10th close: %s%n", every(memory, 10));
    long early = memory.subList(40, 60).stream().mapToLong(m -> m).sum() / 20;
    long late = memory.subList(130, 150).stream().mapToLong(m -> m).sum() / 20;
    assertTrue(late - early < 90 * 1_000, "grew by " + (late - early) + " kB in 90 rounds");
  }

  private static List<Long> every(List<Long> values, int step) {
    List<Long> some = new ArrayList<>();
    for (int i = 0; i < values.size(); i += step) {
      some.add(values.get(i));
    }
    return some;
  }

  private static void call(
      CrossEncoder encoder,
      List<List<String>> lists,
      List<float[]> alone,
      int seed,
      long end,
      LongAdder calls) {
    Random random = new Random(seed);
    while (System.nanoTime() < end) {
      int i = random.nextInt(lists.size());
      try {
        assertArrayEquals(alone.get(i), encoder.score(lists.get(i).getFirst(), lists.get(i)));
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
      calls.increment();
    }
  }

  private static List<List<String>> lists() {
    Random random = new Random(1);
    List<List<String>> lists = new ArrayList<>();
    for (int i = 0; i < LISTS; i++) {
      List<String> list = new ArrayList<>(List.of(RandomText.words(random, 5)));
      for (int passage = 0; passage < 30; passage++) {
        list.add(RandomText.words(random, random.nextInt(random.nextInt(10) == 0 ? 600 : 90)));
      }
      lists.add(list);
    }
    return lists;
  }

  private NeuralModel model(TinyBert.Shape shape) throws IOException {
    new TinyBert(shape, 1).write(folder);
    try (InputStream tokenizer =
        CrossEncoderSoak.class.getResourceAsStream(
            "/org/semanticbm25/crossencoder/tokenizer.json")) {
      Files.write(folder.resolve("tokenizer.json"), tokenizer.readAllBytes());
    }
    return NeuralModel.at(folder);
  }

  private static long resident() throws IOException {
    return Files.readAllLines(STATUS).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
        .findFirst()
        .orElseThrow();
  }
}
