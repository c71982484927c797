package org.semanticbm25.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.math3.stat.correlation.PearsonsCorrelation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.similarity.SemanticBM25Model;

/** The cross-encoder that ships, the functions of its attention, and its static kernel. */
class BundledModelTest {
  private static final String QUERY = "how do birds find their way south in winter";
  private static final List<String> PASSAGES =
      List.of(
          "Migratory birds navigate by the sun, the stars and the magnetic field of the earth.",
          "Geese fly south in autumn; young ones learn the way from their parents.",
          "In winter many birds stay near feeders, where they find seeds and fat.",
          "The recipe needs two birds of about a kilogram each, and a hot oven.",
          "The committee found its way to an agreement on the budget.",
          "A compiler translates source code into machine code.");

  @TempDir Path folder;

  @Test
  void attentionComesCloseToTheCrossEncoder() throws IOException {
    NeuralModel model = NeuralModel.bundled(folder);
    AttentionModel attention = AttentionModel.bundled();
    assertEquals(model.sha256(), attention.provenance().sourceSha256());
    double[] logits;
    try (CrossEncoder encoder = CrossEncoder.builder(model).open()) {
      logits = doubles(encoder.score(QUERY, PASSAGES));
      assertTrue(
          Math.min(logits[0], logits[1]) > Math.max(logits[4], logits[5]), Arrays.toString(logits));
    }
    for (int layers = 4; layers <= attention.layers(); layers += 2) {
      try (AttentionScorer scorer = AttentionScorer.open(model, attention, layers, 1)) {
        double r = new PearsonsCorrelation().correlation(doubles(scorer.score(QUERY, PASSAGES)), logits);
        assertTrue(r > (layers == attention.layers() ? 0.9 : 0.7), layers + " layers: " + r);
      }
    }
  }

  @Test
  void kernelIsThatOfTheCrossEncoder() throws IOException {
    SemanticBM25Model model = Extractor.bundled();
    assertEquals(NeuralModel.bundled(folder).sha256(), model.provenance().sourceSha256());
    assertEquals("11000", model.provenance().figures().get("kernel, lists"));
    assertTrue(cosine(model, "physician", "doctor") > 0.5, "near in meaning");
    assertTrue(cosine(model, "physician", "banana") < 0.2, "not near");
    assertTrue(
        model.weight(model.wordpieces("weather")) > 2 * model.weight(model.wordpieces("how")));
    try (InputStream file =
        BundledModelTest.class.getResourceAsStream(NeuralModel.BUNDLED + ".sbm25")) {
      assertTrue(file.readAllBytes().length < 8 << 20, "8 MiB");
    }
  }

  private static float cosine(SemanticBM25Model model, String one, String other) {
    return model
        .vectors()
        .cosine(model.wordpieces(one)[0], model.vectors(), model.wordpieces(other)[0]);
  }

  private static double[] doubles(float[] values) {
    double[] doubles = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      doubles[i] = values[i];
    }
    return doubles;
  }
}
