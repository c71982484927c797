package org.semanticbm25.onnx.distill;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.apache.commons.math3.stat.correlation.PearsonsCorrelation;
import org.junit.jupiter.api.Test;
import org.semanticbm25.onnx.distill.LinearFit.Line;

class LinearFitTest {
  private static final double[] PLANTED = {0.5, -2, 0, 3};

  private static LinearFit planted(double noise) {
    Random random = new Random(1);
    LinearFit fit = new LinearFit(PLANTED.length);
    for (int i = 0; i < 500; i++) {
      double[] row = new double[PLANTED.length];
      double target = 7 + noise * random.nextGaussian();
      for (int j = 0; j < row.length; j++) {
        row[j] = 10 * j + (j + 1) * random.nextGaussian();
        target += PLANTED[j] * row[j];
      }
      fit.add(row, target);
    }
    return fit;
  }

  @Test
  void recoversPlantedWeights() {
    Line line = planted(0).solve(1e-8);
    assertArrayEquals(PLANTED, line.weights(), 1e-5);
    assertEquals(7, line.intercept(), 1e-3);
    assertEquals(1, planted(0).correlation(line), 1e-9);
    assertArrayEquals(PLANTED, planted(1).solve(1e-8).weights(), 0.1);
  }

  @Test
  void aRidgeShrinks() {
    LinearFit one = new LinearFit(1);
    for (double x : new double[] {-1, 0, 1}) {
      one.add(new double[] {x}, 4 * x);
    }
    assertEquals(2, one.solve(1).weights()[0], 1e-9);
  }

  @Test
  void fitsSomeColumnsOnly() {
    LinearFit fit = planted(0);
    Line line = fit.solve(new int[] {3, 1}, 1e-8);
    assertArrayEquals(new double[] {3, -2}, line.weights(), 0.05);
    assertTrue(fit.correlation(line) < 1 - 1e-6);
    assertEquals(fit.correlation(line), new LinearFitProbe(fit, line).pearson(), 1e-9);
  }

  /** Pearson's correlation the plain way, over the rows of {@link #planted}. */
  private record LinearFitProbe(LinearFit fit, Line line) {
    double pearson() {
      Random random = new Random(1);
      double[] predicted = new double[500];
      double[] targets = new double[500];
      for (int i = 0; i < 500; i++) {
        double[] row = new double[PLANTED.length];
        targets[i] = 7 + 0 * random.nextGaussian();
        for (int j = 0; j < row.length; j++) {
          row[j] = 10 * j + (j + 1) * random.nextGaussian();
          targets[i] += PLANTED[j] * row[j];
        }
        predicted[i] = line.at(row);
      }
      return new PearsonsCorrelation().correlation(predicted, targets);
    }
  }

  @Test
  void constantAndTwinColumnsDoNoHarm() {
    LinearFit fit = new LinearFit(3);
    Random random = new Random(2);
    for (int i = 0; i < 300; i++) {
      double x = random.nextGaussian();
      // a constant whose squares are not exact
      fit.add(new double[] {x, x, 0.7310586f}, 2 * x + 1);
    }
    Line line = fit.solve(1e-8);
    assertArrayEquals(new double[] {1, 1, 0}, line.weights(), 1e-3);
    assertEquals(1, line.intercept(), 1e-3);
    assertEquals(0, fit.correlation(new Line(1, new int[] {2}, new double[] {1})));
    assertThrows(IllegalArgumentException.class, () -> fit.add(new double[2], 1));
    assertThrows(IllegalStateException.class, () -> new LinearFit(1).solve(1));
  }
}
