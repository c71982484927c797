package org.semanticbm25.onnx.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.testing.TinyBert;

/** A signal while the model works ends the process as the signal asks, and not in a crash. */
class SignalTest {
  private static final String READY = "ready";

  @TempDir Path folder;

  /** Scores without end, with two threads; says when it has begun. */
  static final class Scoring {
    private Scoring() {}

    public static void main(String[] args) throws IOException {
      List<String> passages = Collections.nCopies(64, "the quick brown fox ".repeat(60));
      try (CrossEncoder encoder =
          CrossEncoder.builder(NeuralModel.at(Path.of(args[0]))).threads(2).open()) {
        encoder.score("fox", passages);
        System.out.println(READY);
        while (true) {
          encoder.score("fox", passages);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"TERM, 143, 1", "TERM, 143, 40", "INT, 130, 5", "INT, 130, 80"})
  void endsWithoutACrash(String signal, int exit, long milliseconds) throws Exception {
    assumeFalse(System.getProperty("os.name").startsWith("Windows"), "signals of Unix");
    assumeFalse(
        signal.equals("INT") && isInterruptIgnored(), "a job in the background ignores INT");
    TinyBert bert = new TinyBert(new TinyBert.Shape(30_522, 512, 3, 32, 4, 64), 7);
    Files.write(folder.resolve("model.onnx"), bert.onnx(true).toByteArray());
    try (InputStream tokenizer =
        SignalTest.class.getResourceAsStream("/all-minilm-l6-v2-tokenizer.json")) {
      Files.write(folder.resolve("tokenizer.json"), tokenizer.readAllBytes());
    }
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Scoring.class.getName(),
                folder.toString())
            .directory(folder.toFile())
            .redirectError(folder.resolve("log").toFile())
            .start();
    try (BufferedReader out = process.inputReader()) {
      String line = out.readLine();
      assertEquals(READY, line, () -> log());
      Thread.sleep(milliseconds);
      new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();
      assertTrue(process.waitFor(30, TimeUnit.SECONDS), "does not end");
      assertEquals(exit, process.exitValue(), () -> log());
    } finally {
      process.destroyForcibly();
    }
    try (Stream<Path> files = Files.list(folder)) {
      assertTrue(files.noneMatch(file -> file.getFileName().toString().startsWith("hs_err")));
    }
  }

  /** What a shell has its background jobs ignore, their children ignore too. */
  private static boolean isInterruptIgnored() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return false;
    }
    for (String line : Files.readAllLines(status)) {
      if (line.startsWith("SigIgn:")) {
        return (Long.parseUnsignedLong(line.substring(7).strip(), 16) >> 1 & 1) == 1;
      }
    }
    return false;
  }

  private String log() {
    try {
      return Files.readString(folder.resolve("log"));
    } catch (IOException e) {
      return e.toString();
    }
  }
}
