package org.semanticbm25.similarity.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class ScoringParametersTest {
  private static ScoringParameters kernel(float threshold, float exponent, float scale) {
    return new ScoringParameters(1f, 0.5f, threshold, exponent, scale, 8, 0f, 1f);
  }

  @Test
  void kernelRisesFromTheThreshold() {
    ScoringParameters parameters = kernel(0.5f, 2f, 0.8f);
    assertEquals(0f, parameters.kernel(-1f));
    assertEquals(0f, parameters.kernel(0.5f));
    assertEquals(0.2f, parameters.kernel(0.75f), 1e-6);
    assertEquals(0.8f, parameters.kernel(1f));
    assertEquals(0.8f, parameters.kernel(1.0001f), "rounding does not leave the range");
  }

  @Test
  void negligibleWeightsAreZero() {
    assertEquals(0f, kernel(0.5f, 2f, 1f).kernel(0.6f));
    assertTrue(kernel(0.5f, 1f, 1f).kernel(0.6f) >= ScoringParameters.MIN_WEIGHT);
    assertEquals(0f, kernel(0.5f, 1f, 0f).kernel(1f), "scale 0 turns soft matches off");
  }

  @Test
  void illegalValuesAreNamed() {
    for (float bad : new float[] {-0.1f, 1.1f, Float.NaN}) {
      assertIllegal("threshold: " + bad, () -> kernel(bad, 1f, 1f));
      assertIllegal("scale: " + bad, () -> kernel(0f, 1f, bad));
      assertIllegal("b: " + bad, () -> new ScoringParameters(1f, bad, 0f, 1f, 1f, 8, 0f, 1f));
      assertIllegal(
          "idfBlend: " + bad, () -> new ScoringParameters(1f, 0f, 0f, 1f, 1f, 8, bad, 1f));
    }
    for (float bad : new float[] {-0.1f, Float.NaN, Float.POSITIVE_INFINITY}) {
      assertIllegal("exponent: " + bad, () -> kernel(0f, bad, 1f));
      assertIllegal("k1: " + bad, () -> new ScoringParameters(bad, 0f, 0f, 1f, 1f, 8, 0f, 1f));
    }
    assertIllegal("maxSoftTerms: -1", () -> new ScoringParameters(1f, 0f, 0f, 1f, 1f, -1, 0f, 1f));
  }

  private static void assertIllegal(String what, Executable code) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, code);
    assertTrue(e.getMessage().startsWith("illegal " + what), e.getMessage());
  }
}
