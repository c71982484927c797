package org.semanticbm25.onnx.attention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.math3.stat.correlation.PearsonsCorrelation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.hub.NeuralModel;

/** The cross-encoder that ships, and the functions of its attention. */
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
        double r =
            new PearsonsCorrelation().correlation(doubles(scorer.score(QUERY, PASSAGES)), logits);
        assertTrue(r > (layers == attention.layers() ? 0.9 : 0.7), layers + " layers: " + r);
      }
    }
  }

  private static double[] doubles(float[] values) {
    double[] doubles = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      doubles[i] = values[i];
    }
    return doubles;
  }
}
