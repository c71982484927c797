package org.semanticbm25.onnx.crossencoder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.attention.AttentionTaps;
import org.semanticbm25.onnx.distill.Extractor;
import org.semanticbm25.onnx.distill.WordCounts;
import org.semanticbm25.onnx.hub.NeuralModel;

/**
 * Runs what {@code exports/make.py} exported by PyTorch and transformers, and prints what works
 * with which:
 *
 * <pre>./mvnw -q test -pl onnx-models -am -Djacoco.skip -Dtest=ExportsCheck -Dexports=FOLDER
 *     -Dsurefire.failIfNoSpecifiedTests=false</pre>
 */
class ExportsCheck {
  private static final float TOLERANCE = 1e-3f;

  @Test
  void scoresAreThoseOfPyTorch() throws IOException {
    String folder = System.getProperty("exports");
    assumeTrue(folder != null, "no -Dexports=FOLDER");
    List<Path> exports;
    try (Stream<Path> all = Files.list(Path.of(folder))) {
      exports = all.sorted().toList();
    }
    List<String> wrong = new ArrayList<>();
    for (Path export : exports) {
      String scores = outcome(() -> score(export));
      String attention = outcome(() -> attend(export));
      String extraction = outcome(() -> extract(export));
      System.out.printf(
          "%s%n  scores: %s%n  attention: %s%n  extraction: %s%n",
          export.getFileName(), scores, attention, extraction);
      if (!scores.equals("ok")) {
        wrong.add(export.getFileName() + ": " + scores);
      }
    }
    assertEquals(List.of(), wrong);
  }

  private interface Attempt {
    void run() throws IOException;
  }

  private static String outcome(Attempt attempt) {
    try {
      attempt.run();
      return "ok";
    } catch (IOException | RuntimeException | AssertionError e) {
      return e.toString();
    }
  }

  private static void score(Path export) throws IOException {
    JsonNode expected = new ObjectMapper().readTree(export.resolve("expected.json").toFile());
    try (CrossEncoder encoder = CrossEncoder.builder(NeuralModel.at(export)).threads(1).open()) {
      for (JsonNode pair : expected) {
        float logit =
            encoder.score(pair.path("query").asText(), List.of(pair.path("passage").asText()))[0];
        assertEquals((float) pair.path("logit").asDouble(), logit, TOLERANCE, pair.toString());
      }
    }
  }

  private static void attend(Path export) throws IOException {
    try (AttentionTaps taps = AttentionTaps.open(NeuralModel.at(export), 2, 1)) {
      AttentionTaps.Mass mass = taps.mass("cheap rail", List.of("trains are late")).getFirst();
      for (int head = 0; head < taps.heads(); head++) {
        float share = mass.of(head, 0);
        assertEquals(0.5f, share, 0.5f);
      }
    }
  }

  private static void extract(Path export) throws IOException {
    NeuralModel model = NeuralModel.at(export);
    Extractor.extract(
        model,
        Extractor.layer(model),
        Extractor.DEFAULT_PARAMETERS,
        new WordCounts(),
        Optional.empty(),
        Progress.SILENT);
  }
}
