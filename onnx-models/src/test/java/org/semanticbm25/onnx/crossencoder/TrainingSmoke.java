package org.semanticbm25.onnx.crossencoder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.onnx.context.SoftTermEncoder;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.similarity.model.ContextualModel;

/**
 * Five minutes of training on a CPU: the loss falls, and what comes out is a cross-encoder. Not run
 * by default:
 *
 * <pre>./mvnw -q test -pl onnx-models -am -Djacoco.skip -Dtest=TrainingSmoke
 *     -Dsurefire.failIfNoSpecifiedTests=false</pre>
 */
class TrainingSmoke {
  private static final Path DATA = Path.of("../../shared/training");

  @TempDir Path folder;

  @Test
  void lossFallsInFiveMinutes() throws Exception {
    Assumptions.assumeTrue(Files.exists(DATA), "no " + DATA);
    String python = python();
    Assumptions.assumeTrue(python != null, "no python3 with PyTorch and onnx");
    run(
        python,
        "training/train.py",
        "--data",
        DATA.toString(),
        "--backbone",
        backbone(),
        "--out",
        folder.toString(),
        "--minutes",
        "5",
        "--steps",
        "100000",
        "--development-lists",
        "2",
        "--every",
        "20");
    checkLosses();
    try (CrossEncoder encoder = CrossEncoder.builder(NeuralModel.at(folder)).open()) {
      float[] scores =
          encoder.score(
              "capital of France", List.of("Paris is the capital.", "Bananas are yellow."));
      assertTrue(scores[0] > scores[1]);
      assertEquals(6, OnnxGraph.read(encoder.model().onnx()).layers());
    }
  }

  private void checkLosses() throws IOException {
    List<Double> losses = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve("log.jsonl"))) {
      JsonNode entry = new ObjectMapper().readTree(line);
      if (entry.has("loss")) {
        losses.add(entry.get("loss").asDouble());
      }
    }
    assertTrue(losses.size() >= 2, "too few steps in 5 minutes: " + losses);
    assertTrue(losses.getLast() < losses.getFirst(), losses::toString);
  }

  @Test
  void softTermsLearnAndAreExported() throws Exception {
    Assumptions.assumeTrue(Files.exists(DATA), "no " + DATA);
    String python = python();
    Assumptions.assumeTrue(python != null, "no python3 with PyTorch, onnx and snowballstemmer");
    List<String> common = List.of("--data", DATA.toString(), "--backbone", backbone());
    List<String> train = new ArrayList<>(List.of(python, "training/soft_terms.py"));
    train.addAll(common);
    train.addAll(
        List.of("--out", folder.toString(), "--steps", "100", "--minutes", "5", "--every", "50"));
    assertEquals(0, run(train.toArray(String[]::new)));
    checkLosses();
    Path weights = folder.resolve("weights-100.pt");
    Assumptions.assumeTrue(Files.exists(weights), "fewer than 100 steps in 5 minutes");
    Path exported = folder.resolve("exported");
    for (String part : List.of("--encoder", "--terms")) {
      List<String> export = new ArrayList<>(List.of(python, "training/export_soft_terms.py"));
      export.addAll(common);
      export.addAll(List.of("--run", folder.toString(), "--weights", weights.toString(), part));
      export.add(exported.toString());
      assertEquals(0, run(export.toArray(String[]::new)));
    }
    try (Directory directory = FSDirectory.open(exported)) {
      ContextualModel model = ContextualModel.read(directory, "terms.contextual");
      try (SoftTermEncoder encoder = SoftTermEncoder.open(NeuralModel.at(exported), model, 1)) {
        assertTrue(encoder.encode(List.of("Paris is a city in France.")).getFirst().size() > 0);
      }
    }
  }

  /** The jar on the class path with the encoder that training starts from. */
  private static String backbone() throws IOException {
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      if (entry.matches(".*all-minilm-l6-v2-[0-9][^/]*\\.jar")) {
        return entry;
      }
    }
    throw new IOException("the backbone is not on the class path");
  }

  private static String python() throws Exception {
    for (String candidate : List.of("python3", "/usr/bin/python3")) {
      try {
        if (run(candidate, "-c", "import torch, onnx, numpy, snowballstemmer") == 0) {
          return candidate;
        }
      } catch (IOException e) {
        // not on this machine; the next may be
      }
    }
    return null;
  }

  private static int run(String... command) throws Exception {
    return new ProcessBuilder(command).inheritIO().start().waitFor();
  }
}
