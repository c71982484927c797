package org.semanticbm25.eval.measure;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class SignificanceTest {
  @Test
  void pairedTestAgainstATable() {
    // differences 1 2 3 4 5: t = 3 / (sqrt(2.5) / sqrt(5)) = 4.2426 with 4 degrees of freedom
    double p = Significance.paired(new double[] {2, 4, 6, 8, 10}, new double[] {1, 2, 3, 4, 5});
    assertEquals(0.0132, p, 0.0001);
    assertEquals(1, Significance.paired(new double[] {1, 2}, new double[] {1, 2}));
    assertThrows(
        IllegalArgumentException.class,
        () -> Significance.paired(new double[] {1}, new double[] {1}));
  }

  @Test
  void holmStepsDown() {
    assertArrayEquals(new double[] {0.06, 0.03, 0.06}, Significance.holm(0.03, 0.01, 0.04), 1e-12);
    assertArrayEquals(new double[] {1, 1}, Significance.holm(0.9, 0.6), 1e-12);
    assertArrayEquals(new double[0], Significance.holm());
  }
}
