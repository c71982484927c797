package org.semanticbm25.similarity.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class TermProjectionTest {
  private static final float[] CENTER = {0.6f, 0};
  private static final float[][] MATRIX = {{1, 2, 3}, {4, 5, 6}};
  private static final float[] WEIGHTS = {0.5f, -1};

  private final TermProjection projection = new TermProjection(CENTER, MATRIX, WEIGHTS);

  /** unit (0.6, 0.8) less the center is (0, 0.8), of which the direction is (0, 1). */
  @Test
  void isItsFormula() {
    float[] state = {3, 4};
    assertArrayEquals(new float[] {0, 1}, projection.centred(state), 1e-6f);
    assertArrayEquals(new float[] {4, 5, 6}, projection.vector(state), 1e-5f);
    assertEquals(Math.exp(-1), projection.weight(state), 1e-6);
    assertEquals(3, projection.dimensions());
    assertEquals(2, projection.hidden());
  }

  @Test
  void whatIsNoWordCountsAsItStands() {
    float[] none = new float[2];
    assertArrayEquals(new float[3], projection.vector(none));
    assertEquals(1f, projection.weight(none));
    TermProjection atCenter = new TermProjection(new float[] {1, 0}, MATRIX, WEIGHTS);
    assertEquals(1f, atCenter.weight(new float[] {2, 0}), "nowhere but at the center");
  }

  @Test
  void identityKeepsDirections() {
    TermProjection identity = TermProjection.identity(2);
    assertArrayEquals(new float[] {0.6f, 0.8f}, identity.vector(new float[] {3, 4}), 1e-6f);
    assertEquals(1f, identity.weight(new float[] {3, 4}));
  }

  @Test
  void refusesIllegalNumbers() {
    refused("center 0", new float[0], MATRIX, WEIGHTS);
    refused("matrix 1", CENTER, new float[][] {{1}}, WEIGHTS);
    refused("weights 1", CENTER, MATRIX, new float[1]);
    refused("matrix row", CENTER, new float[][] {{1, 2}, {3}}, WEIGHTS);
    refused("center: NaN", new float[] {Float.NaN, 0}, MATRIX, WEIGHTS);
    refused(
        "matrix row: Infinity", CENTER, new float[][] {{1}, {Float.POSITIVE_INFINITY}}, WEIGHTS);
    refused("their norm is 30.0", CENTER, MATRIX, new float[] {0, 30});
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> projection.vector(new float[] {1, 2, 3}));
    assertTrue(e.getMessage().contains("must be 2"), e.getMessage());
  }

  private static void refused(String part, float[] center, float[][] matrix, float[] weights) {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> new TermProjection(center, matrix, weights));
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }
}
