package org.semanticbm25.eval.latency;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.semanticbm25.eval.latency.Growth.Point;

/** Growth as a picture in SVG: a panel for each task, with both axes logarithmic. */
public final class GrowthChart {
  private static final int COLUMNS = 3;
  private static final int WIDTH = 300;
  private static final int HEIGHT = 210;
  private static final int LEFT = 50;
  private static final int RIGHT = WIDTH - 20;
  private static final int TOP = 50;
  private static final int BOTTOM = HEIGHT - 40;
  private static final String STYLE =
      "text { fill: #1f2328; font: 12px sans-serif; } .small { fill: #57606a; font-size: 11px; } "
          + "polyline { fill: none; stroke: #0969da; stroke-width: 2; } circle { fill: #0969da; } "
          + ".axis { stroke: #8c959f; fill: none; } @media (prefers-color-scheme: dark) { "
          + "text { fill: #e6edf3; } .small { fill: #9da7b3; } polyline { stroke: #58a6ff; } "
          + "circle { fill: #58a6ff; } }";

  private GrowthChart() {}

  /** Draws all panels. */
  public static String svg(List<Growth> growth) {
    StringBuilder panels = new StringBuilder();
    for (int i = 0; i < growth.size(); i++) {
      panels.append(
          "<g transform=\"translate(%d %d)\">%s</g>%n"
              .formatted(
                  i % COLUMNS * WIDTH, i / COLUMNS * HEIGHT, new Panel(growth.get(i)).draw()));
    }
    return """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="Median time by size">
        <style>%s</style>
        %s</svg>
        """
        .formatted(COLUMNS * WIDTH, Math.ceilDiv(growth.size(), COLUMNS) * HEIGHT, STYLE, panels);
  }

  private record Panel(Growth growth) {
    String draw() {
      List<Point> points = growth.points();
      String line =
          points.stream()
              .map(point -> number(x(point)) + "," + number(y(point)))
              .collect(Collectors.joining(" "));
      StringBuilder svg = new StringBuilder();
      svg.append(text(10, 20, "", growth.task()));
      svg.append(text(10, 36, " class=\"small\"", "slope " + number(growth.slope())));
      svg.append("<path class=\"axis\" d=\"M%d %d V%d H%d\"/>".formatted(LEFT, TOP, BOTTOM, RIGHT));
      svg.append("<polyline points=\"%s\"/>".formatted(line));
      for (Point point : points) {
        svg.append(
            "<circle cx=\"%s\" cy=\"%s\" r=\"3\"/>".formatted(number(x(point)), number(y(point))));
        svg.append(
            text(
                x(point),
                BOTTOM + 15,
                " class=\"small\" text-anchor=\"middle\"",
                Integer.toString(point.size())));
        svg.append(
            text(
                x(point) - 6,
                y(point) - 4,
                " class=\"small\" text-anchor=\"end\"",
                millis(point.p50())));
      }
      svg.append(text(RIGHT, BOTTOM + 32, " text-anchor=\"end\"", growth.size()));
      return svg.toString();
    }

    private double x(Point point) {
      List<Point> points = growth.points();
      return scaled(
          point.size(), points.getFirst().size(), points.getLast().size(), LEFT + 55, RIGHT - 25);
    }

    private double y(Point point) {
      double least = growth.points().stream().mapToDouble(Point::p50).min().orElse(1);
      double most = growth.points().stream().mapToDouble(Point::p50).max().orElse(1);
      return scaled(point.p50(), least, most, BOTTOM - 10, TOP + 15);
    }

    private static double scaled(double value, double least, double most, double low, double high) {
      return most == least
          ? (low + high) / 2
          : low + (high - low) * Math.log(value / least) / Math.log(most / least);
    }
  }

  private static String text(double x, double y, String attributes, String text) {
    return "<text x=\"%s\" y=\"%s\"%s>%s</text>".formatted(number(x), number(y), attributes, text);
  }

  private static String millis(double value) {
    return String.format(Locale.ROOT, value < 100 ? "%.2f ms" : "%.0f ms", value);
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }
}
