package org.semanticbm25.eval.measure;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.semanticbm25.onnx.distill.Agreement;
import org.semanticbm25.onnx.distill.Bootstrap;

class AgreementTest {
  private static Map<String, Double> figures(Agreement agreement) {
    Report report = new Report("test");
    report.put("row", agreement);
    return report.systems().get("row");
  }

  @Test
  void agreesWhollyWithALinearFunctionOfTheLogits() {
    Agreement agreement = new Agreement();
    agreement.add(new double[] {1, 3, 5}, new float[] {0, 1, 2});
    agreement.add(new double[] {7, -1}, new float[] {3, -1});
    Map<String, Double> figures = figures(agreement);
    for (String figure : new String[] {"r", "Spearman", "r within a query", "alignment"}) {
      assertEquals(1, figures.get(figure), 1e-9, figure);
    }
    assertEquals(2, figures.get("queries"));
  }

  @Test
  void alignmentIsWorkedOutByHand() {
    Agreement agreement = new Agreement();
    // the gains are 1, 1/2 and 0; ranked are the second, the first, the third
    agreement.add(new double[] {2, 3, 1}, new float[] {9, 5, 1});
    double ideal = 1 + 0.5 / (Math.log(3) / Math.log(2));
    double found = 0.5 + 1 / (Math.log(3) / Math.log(2));
    assertArrayEquals(new double[] {found / ideal}, agreement.alignments(), 1e-9);
    Agreement same = new Agreement();
    same.add(new double[] {1, 2}, new float[] {4, 4});
    assertEquals(1, same.alignment(), "where the model prefers nothing any ranking is right");
    same.add(new double[] {2, 3, 1}, new float[] {9, 5, 1});
    assertEquals(found / ideal, same.alignment(), 1e-9, "and the query does not count");
  }

  @Test
  void chanceAndConstantScoresDoNotAgree() {
    Random random = new Random(1);
    Agreement chance = new Agreement();
    Agreement constant = new Agreement();
    for (int query = 0; query < 200; query++) {
      float[] logits = {random.nextFloat(), random.nextFloat(), random.nextFloat()};
      chance.add(random.doubles(3).toArray(), logits);
      constant.add(new double[3], logits);
    }
    Map<String, Double> figures = figures(chance);
    assertEquals(0, figures.get("r"), 0.1);
    assertEquals(figures.get("alignment by chance"), figures.get("alignment"), 0.02);
    assertTrue(figures.get("r low") < figures.get("r"), figures.toString());
    assertTrue(figures.get("r high") > figures.get("r"), figures.toString());
    assertEquals(0, constant.pearson());
    assertThrows(
        IllegalArgumentException.class, () -> chance.add(new double[] {Double.NaN}, new float[1]));
    assertEquals(Map.of("queries", 0d), figures(new Agreement()));
  }

  @Test
  void theIntervalOfAMeanIsThatOfTheory() {
    double[] values = new Random(4).doubles(400).toArray();
    Bootstrap mean =
        Bootstrap.of(
            400, drawn -> Arrays.stream(drawn).mapToDouble(i -> values[i]).average().orElse(0));
    // 1.96 standard errors of a uniform variable
    double half = 1.96 / Math.sqrt(12 * 400);
    assertEquals(mean.value() - half, mean.low(), 0.004);
    assertEquals(mean.value() + half, mean.high(), 0.004);
  }
}
