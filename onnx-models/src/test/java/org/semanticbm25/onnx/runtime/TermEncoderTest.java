package org.semanticbm25.onnx.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.testing.TinyModel;
import org.semanticbm25.similarity.model.SemanticBM25Model;

class TermEncoderTest {
  private static final List<String> WORDS =
      IntStream.range(0, 2_000).mapToObj(i -> "quick fox ".repeat(1 + i % 7)).toList();

  @TempDir Path folder;
  private NeuralModel model;

  @BeforeEach
  void write() throws IOException {
    model = TinyModel.write(folder, TinyModel.Weights.FLOAT);
  }

  @Test
  void threadsGiveWhatOneGives() throws IOException {
    AtomicLong done = new AtomicLong();
    try (ExecutorService threads = Executors.newFixedThreadPool(3);
        TermEncoder one = new TermEncoder(model, SemanticBM25Model.LAST_LAYER, Runnable::run);
        TermEncoder several = new TermEncoder(model, SemanticBM25Model.LAST_LAYER, threads)) {
      assertArrayEquals(
          one.encodeWords(WORDS, Progress.SILENT),
          several.encodeWords(WORDS, (task, count, all) -> done.set(count)));
    }
    assertEquals(WORDS.size(), done.get());
  }

  @Test
  void closingWhileEncodingIsSafe() throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      for (int round = 0; round < 10; round++) {
        TermEncoder encoder = new TermEncoder(model, SemanticBM25Model.LAST_LAYER, Runnable::run);
        int[][] pieces = WORDS.stream().map(encoder::pieces).toArray(int[][]::new);
        Future<float[][]> running = threads.submit(() -> encoder.encode(pieces, Progress.SILENT));
        Thread.sleep(3L * round);
        encoder.close();
        try {
          assertEquals(WORDS.size(), running.get().length);
        } catch (ExecutionException e) {
          assertInstanceOf(IllegalStateException.class, e.getCause());
        }
      }
    }
  }
}
