package org.semanticbm25.onnx.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.testing.TinyBert;

/** How the engine's threads serve several calls; a reader that waits holds a thread. */
@Timeout(60)
class PairEngineTest {
  private static final String LONG = "the quick brown fox ".repeat(50);

  @TempDir static Path folder;
  private static NeuralModel model;

  @BeforeAll
  static void write() throws IOException {
    TinyBert bert = new TinyBert(new TinyBert.Shape(30_522, 512, 1, 32, 4, 64), 7);
    Files.write(folder.resolve("model.onnx"), bert.onnx(true).toByteArray());
    try (InputStream tokenizer =
        PairEngineTest.class.getResourceAsStream("/all-minilm-l6-v2-tokenizer.json")) {
      Files.write(folder.resolve("tokenizer.json"), tokenizer.readAllBytes());
    }
    model = NeuralModel.at(folder);
  }

  private static PairEngine open(int threads) throws IOException {
    PairModel opened = PairModel.open(model, OnnxGraph.read(model.onnx()));
    return new PairEngine(opened, "logits", threads, 512, LongPassages.FIRST_WINDOW);
  }

  /** Counts batches and holds them until told. */
  private static final class Held implements PairEngine.Reader {
    final AtomicInteger batches = new AtomicInteger();
    final CountDownLatch began = new CountDownLatch(1);
    final CountDownLatch go = new CountDownLatch(1);

    @Override
    public void read(PairBatch batch, ai.onnxruntime.OnnxTensor output) {
      batches.incrementAndGet();
      began.countDown();
      try {
        assertTrue(go.await(1, TimeUnit.MINUTES));
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  private static Future<String> submit(
      PairEngine engine, int passages, PairEngine.Reader reader, String result) throws IOException {
    return engine.submit(
        engine.queryTokens("quick fox"),
        Collections.nCopies(passages, LONG),
        Marks.PASSAGE_AND_SEPARATOR,
        reader,
        result);
  }

  @Test
  void aCallOfFewPassagesDoesNotWaitForOneOfMany() throws Exception {
    try (PairEngine engine = open(1)) {
      Held reader = new Held();
      Future<String> many = submit(engine, 500, reader, "many");
      reader.began.await();
      AtomicInteger before = new AtomicInteger();
      Future<String> few =
          submit(engine, 1, (batch, output) -> before.set(reader.batches.get()), "few");
      reader.go.countDown();
      assertEquals("few", few.get());
      assertTrue(before.get() <= 3, before + " batches of the other call went first");
      assertEquals("many", many.get());
      assertTrue(reader.batches.get() > 20, reader.batches + " batches");
    }
  }

  @Test
  void refusesMoreCallsThanItHolds() throws Exception {
    try (PairEngine engine = open(2)) {
      Held reader = new Held();
      List<Future<String>> calls = new ArrayList<>();
      for (int i = 0; i < PairEngine.MAX_CALLS; i++) {
        calls.add(submit(engine, 1, reader, "done"));
      }
      RejectedExecutionException refused =
          assertThrows(RejectedExecutionException.class, () -> submit(engine, 1, reader, "late"));
      assertTrue(refused.getMessage().contains("1000 calls"), refused.getMessage());
      reader.go.countDown();
      for (Future<String> call : calls) {
        assertEquals("done", call.get());
      }
      assertEquals("again", submit(engine, 1, reader, "again").get());
    }
  }

  @Test
  void aStoppedCallDoesNoMoreWork() throws Exception {
    try (PairEngine engine = open(2)) {
      Held reader = new Held();
      Future<String> many = submit(engine, 500, reader, "many");
      reader.began.await();
      assertTrue(many.cancel(true));
      assertThrows(CancellationException.class, many::get);
      reader.go.countDown();
      for (int i = 0; i < 5; i++) {
        submit(engine, 10, (batch, output) -> {}, "other").get();
      }
      assertTrue(reader.batches.get() <= 2, reader.batches + " batches");
    }
  }

  @Test
  void closingStopsCallsAndWaitsForThem() throws Exception {
    PairEngine engine = open(2);
    Held reader = new Held();
    Future<String> many = submit(engine, 500, reader, "many");
    reader.began.await();
    Thread closing =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    engine.close();
                  } catch (IOException e) {
                    throw new AssertionError(e);
                  }
                });
    assertThrows(java.util.concurrent.ExecutionException.class, many::get);
    assertFalse(closing.join(java.time.Duration.ofMillis(50)), "closed under a running batch");
    reader.go.countDown();
    closing.join();
    assertTrue(reader.batches.get() <= 2, reader.batches + " batches");
    assertThrows(IllegalStateException.class, () -> submit(engine, 1, reader, "late"));
  }
}
