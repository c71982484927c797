package org.semanticbm25.eval.latency;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.semanticbm25.eval.latency.Growth.Point;
import org.w3c.dom.Document;

class GrowthTest {
  private static Growth of(double exponent) {
    List<Point> points = new ArrayList<>();
    for (int size : new int[] {1, 4, 16, 64}) {
      double time = 3 * Math.pow(size, exponent);
      points.add(new Point(size, time, 2 * time, 3 * time));
    }
    return new Growth("search", "passages", 9, points);
  }

  @Test
  void slopeIsTheExponent() {
    assertEquals(1, of(1).slope(), 1e-9);
    assertEquals(0.5, of(0.5).slope(), 1e-9);
    assertEquals(0, of(0).slope(), 1e-9);
  }

  @Test
  void sizesAreRunInTurnAndWarmUpIsNotCounted() throws IOException {
    List<String> runs = new ArrayList<>();
    Growth growth =
        Growth.measure(
            "wait",
            "milliseconds",
            new TreeMap<>(Map.of(1, 1, 4, 4)),
            1,
            2,
            (size, round) -> {
              runs.add(round + "/" + size);
              // the first round takes long
              LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(round == 0 ? 200 : size));
            });
    assertEquals(List.of("0/1", "0/4", "1/1", "1/4", "2/1", "2/4"), runs);
    Point last = growth.points().getLast();
    assertEquals(4, last.size());
    assertTrue(last.p50() >= 3.9 && last.p50() <= last.p95() && last.p95() <= last.p99());
    assertTrue(growth.points().getFirst().p50() < 150, growth::toString);
  }

  @Test
  void pictureHasAPanelForEachTask() throws Exception {
    String svg = GrowthChart.svg(List.of(of(1), of(0), of(2), of(1)));
    Document parsed =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
    assertEquals(4, parsed.getElementsByTagName("polyline").getLength());
    assertEquals(16, parsed.getElementsByTagName("circle").getLength());
    assertTrue(svg.contains("slope 2.00"), svg);
  }
}
