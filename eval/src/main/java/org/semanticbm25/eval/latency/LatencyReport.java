package org.semanticbm25.eval.latency;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.semanticbm25.eval.measure.Report;

/**
 * What was timed.
 *
 * @param machine what it was timed on, and how
 * @param systems rows of searches against BM25
 * @param growth how times grow
 */
public record LatencyReport(
    Map<String, Object> machine, List<SystemTimes> systems, List<Growth> growth) {
  /**
   * Times of a system's searches, in milliseconds, and ratios of its times to those of BM25.
   *
   * @param search name of the {@link TimedSearch}
   * @param system its name
   * @param softTerms of a query term, on average
   * @param p50 median of all runs
   * @param p95 95th percentile
   * @param p99 99th percentile
   * @param ratio median over queries
   * @param ratio99 99th percentile over queries
   */
  public record SystemTimes(
      String search,
      String system,
      double softTerms,
      double p50,
      double p95,
      double p99,
      double ratio,
      double ratio99) {}

  /** Prints it. */
  public void print(PrintWriter out, Report.Format format) throws IOException {
    if (format == Report.Format.JSON) {
      out.println(
          new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(json()));
    } else {
      machine.forEach((name, value) -> out.println(name + ": " + value));
      out.println();
      if (!systems.isEmpty()) {
        out.println(Report.align(systemRows()));
      }
      if (!growth.isEmpty()) {
        out.println(Report.align(growthRows()));
      }
    }
    out.flush();
  }

  private Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("machine", machine);
    json.put("systems", systems);
    json.put("growth", growth.stream().map(LatencyReport::json).toList());
    return json;
  }

  private static Map<String, Object> json(Growth growth) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("task", growth.task());
    json.put("size", growth.size());
    json.put("runs", growth.runs());
    json.put("points", growth.points());
    json.put("slope", growth.slope());
    return json;
  }

  private List<List<String>> systemRows() {
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            "search",
            "system",
            "soft terms/query term",
            "p50 ms",
            "p95 ms",
            "p99 ms",
            "ratio, median",
            "ratio, p99"));
    for (SystemTimes system : systems) {
      rows.add(
          List.of(
              system.search(),
              system.system(),
              "%.1f".formatted(system.softTerms()),
              "%.2f".formatted(system.p50()),
              "%.2f".formatted(system.p95()),
              "%.2f".formatted(system.p99()),
              "%.2f".formatted(system.ratio()),
              "%.2f".formatted(system.ratio99())));
    }
    return rows;
  }

  private List<List<String>> growthRows() {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("task", "of", "size", "runs", "p50 ms", "p95 ms", "p99 ms", "slope"));
    for (Growth of : growth) {
      for (Growth.Point point : of.points()) {
        rows.add(
            List.of(
                of.task(),
                of.size(),
                Integer.toString(point.size()),
                Integer.toString(of.runs()),
                "%.2f".formatted(point.p50()),
                "%.2f".formatted(point.p95()),
                "%.2f".formatted(point.p99()),
                "%.2f".formatted(of.slope())));
      }
    }
    return rows;
  }
}
