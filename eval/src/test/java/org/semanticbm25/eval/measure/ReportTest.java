package org.semanticbm25.eval.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.semanticbm25.onnx.distill.Bootstrap;

class ReportTest {
  @Test
  void aFigureAndItsIntervalShareACell() {
    Report report = new Report("set");
    report.put("a", "r", new Bootstrap(-0.12, -0.2, -0.05));
    report.put("a", "too low", 3);
    assertEquals(
        """
        |  | r | too low |
        | --- | --- | --- |
        | a | -0.1200 (-0.2000 to -0.0500) | 3 |
        """,
        report.markdown());
  }

  @Test
  void copiesAFigureWithItsInterval() {
    Report from = new Report("from");
    from.put("row", "r", new Bootstrap(0.5, 0.4, 0.6));
    Report report = new Report("to");
    report.copy("set", "attention", from, "row", "r");
    report.copy("set", "attention", from, "no row", "r");
    String row = report.markdown().lines().toList().get(2);
    assertEquals("| set | 0.5000 (0.4000 to 0.6000) |", row);
  }
}
