package org.semanticbm25.eval.measure;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.semanticbm25.onnx.distill.Agreement;
import org.semanticbm25.onnx.distill.Bootstrap;

/**
 * The figures of some systems on a collection.
 *
 * @param dataset the collection's name
 * @param settings what the figures were made with, by name; told in JSON only
 * @param systems by system and figure
 */
public record Report(
    String dataset, Map<String, Object> settings, Map<String, Map<String, Double>> systems) {
  /** After the name of a figure: the lower end of its interval. */
  public static final String LOW = " low";

  /** After the name of a figure: the upper end of its interval. */
  public static final String HIGH = " high";

  /** How to print a report. */
  public enum Format {
    TABLE,
    JSON
  }

  public Report(String dataset) {
    this(dataset, new LinkedHashMap<>(), new LinkedHashMap<>());
  }

  /** Says what the figures were made with. */
  public void set(String setting, Object value) {
    settings.put(setting, value);
  }

  /** Puts a figure in the row of a system. */
  public void put(String system, String figure, double value) {
    systems.computeIfAbsent(system, s -> new LinkedHashMap<>()).put(figure, value);
  }

  /** Puts a figure and its interval. */
  public void put(String system, String figure, Bootstrap interval) {
    put(system, figure, interval.value());
    put(system, figure + LOW, interval.low());
    put(system, figure + HIGH, interval.high());
  }

  /** Copies a figure, with its interval, from a row of another report, if it is there. */
  public void copy(String system, String figure, Report from, String row, String original) {
    Map<String, Double> figures = from.systems.getOrDefault(row, Map.of());
    for (String part : List.of("", LOW, HIGH)) {
      Double value = figures.get(original + part);
      if (value != null) {
        put(system, figure + part, value);
      }
    }
  }

  /** Puts all figures of an agreement, with their intervals; of no queries there are none. */
  public void put(String system, Agreement agreement) {
    putCorrelations(system, agreement);
    if (agreement.queries() > 0) {
      put(system, "r within a query", agreement.withinInterval());
      put(system, "alignment", agreement.alignmentInterval());
      put(system, "alignment by chance", agreement.alignmentByChance());
    }
  }

  /** Puts what can be told where there are but one or two pairs of a query. */
  public void putCorrelations(String system, Agreement agreement) {
    put(system, "queries", agreement.queries());
    if (agreement.queries() > 0) {
      put(system, "r", agreement.pearsonInterval());
      put(system, "Spearman", agreement.spearmanInterval());
    }
  }

  public void print(PrintWriter out, Format format) throws IOException {
    if (format == Format.JSON) {
      out.println(
          new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(this));
    } else {
      out.println(table());
    }
    out.flush();
  }

  /** The table as aligned text. */
  public String table() {
    return align(rows());
  }

  /** The table as Markdown. */
  public String markdown() {
    List<List<String>> rows = rows();
    rows.getFirst().set(0, "");
    rows.add(1, Collections.nCopies(rows.getFirst().size(), "---"));
    return rows.stream()
        .map(row -> "| " + String.join(" | ", row) + " |\n")
        .collect(Collectors.joining());
  }

  /** Whether a figure is an end of the interval of another. */
  private static boolean isEndOf(String figure, String end, Set<String> figures) {
    return figure.endsWith(end)
        && figures.contains(figure.substring(0, figure.length() - end.length()));
  }

  /** A figure, with its interval if it has one. */
  private String cell(Map<String, Double> values, String figure) {
    Double value = values.get(figure);
    if (value == null) {
      return "-";
    }
    Double low = values.get(figure + LOW);
    Double high = values.get(figure + HIGH);
    if (low != null && high != null) {
      return String.format("%.4f (%.4f to %.4f)", value, low, high);
    }
    return String.format(isCount(figure) ? "%.0f" : "%.4f", value);
  }

  /** Whether a figure is a number of things: whole in all rows, and more than one in some. */
  private boolean isCount(String figure) {
    List<Double> values =
        systems.values().stream()
            .filter(row -> row.containsKey(figure))
            .map(row -> row.get(figure))
            .toList();
    return values.stream().allMatch(value -> value == Math.rint(value))
        && values.stream().anyMatch(value -> value > 1);
  }

  private List<List<String>> rows() {
    Set<String> figures = new LinkedHashSet<>();
    systems.values().forEach(values -> figures.addAll(values.keySet()));
    Set<String> all = Set.copyOf(figures);
    figures.removeIf(figure -> isEndOf(figure, LOW, all) || isEndOf(figure, HIGH, all));
    List<List<String>> rows = new ArrayList<>();
    List<String> head = new ArrayList<>(List.of(dataset));
    head.addAll(figures);
    rows.add(head);
    systems.forEach(
        (system, values) -> {
          List<String> row = new ArrayList<>(List.of(system));
          figures.forEach(figure -> row.add(cell(values, figure)));
          rows.add(row);
        });
    return rows;
  }

  /** Columns as wide as they need to be, the first to the left, the others to the right. */
  public static String align(List<List<String>> rows) {
    StringBuilder text = new StringBuilder();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int column = 0; column < row.size(); column++) {
        int c = column;
        int width = rows.stream().mapToInt(r -> r.get(c).length()).max().orElse(0);
        String format = column == 0 ? "%-" + width + "s" : "  %" + width + "s";
        line.append(format.formatted(row.get(column)));
      }
      text.append(line.toString().stripTrailing()).append(System.lineSeparator());
    }
    return text.toString().stripTrailing();
  }
}
