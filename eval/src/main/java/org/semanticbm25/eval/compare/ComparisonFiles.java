package org.semanticbm25.eval.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.semanticbm25.eval.compare.Comparison.LengthResult;
import org.semanticbm25.eval.compare.Comparison.SystemResult;
import org.semanticbm25.eval.measure.Report;
import org.semanticbm25.onnx.AtomicFile;

/** Writes a comparison: as a page, its numbers as JSON and CSV, and tables as Markdown. */
public final class ComparisonFiles {
  private static final ObjectMapper JSON = new ObjectMapper();

  private ComparisonFiles() {}

  /**
   * Writes the files, each whole or not at all.
   *
   * @param page its name ends in {@code .html}; the others lie beside it and end otherwise
   */
  public static void write(Comparison comparison, Path page) throws IOException {
    String name = Objects.toString(page.getFileName(), "");
    String stem = name.substring(0, name.length() - ".html".length());
    AtomicFile.write(
        page.resolveSibling(stem + ".json"),
        out ->
            out.write(
                JSON.writer(SerializationFeature.INDENT_OUTPUT).writeValueAsBytes(comparison)));
    write(page.resolveSibling(stem + ".csv"), csv(comparison));
    write(page.resolveSibling(stem + ".md"), markdown(comparison));
    write(page, Page.report(JSON.writeValueAsString(comparison)));
  }

  private static void write(Path file, String text) throws IOException {
    AtomicFile.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
  }

  private static Set<String> figures(Comparison.Collection collection) {
    Set<String> figures = new LinkedHashSet<>();
    collection.systems().forEach(system -> figures.addAll(system.measures().keySet()));
    collection.systems().forEach(system -> figures.addAll(system.agreement().keySet()));
    return figures;
  }

  private static String figure(SystemResult system, String name) {
    Double value = system.measures().getOrDefault(name, system.agreement().get(name));
    return value == null ? "" : "%.4f".formatted(value);
  }

  /** The systems of a collection as a table of text. */
  public static String table(Comparison.Collection collection) {
    Set<String> figures = figures(collection);
    List<List<String>> rows = new ArrayList<>();
    List<String> head = new ArrayList<>(List.of(collection.name()));
    head.addAll(figures);
    head.addAll(List.of("ms", "cost of 1,000"));
    rows.add(head);
    for (SystemResult system : collection.systems()) {
      List<String> row = new ArrayList<>(List.of(system.name()));
      figures.forEach(figure -> row.add(orDash(figure(system, figure))));
      row.add(system.millis() == null ? "-" : "%.2f".formatted(system.millis()));
      row.add(system.cost() == null ? "-" : "%.6f".formatted(system.cost()));
      rows.add(row);
    }
    return Report.align(rows);
  }

  /**
   * The main measure of each system on each collection, with p against the first system, and by the
   * length of the query.
   */
  static String markdown(Comparison comparison) {
    return markdown(measures(comparison.collections()))
        + "\n"
        + markdown(lengths(comparison.collections()));
  }

  private static String markdown(List<List<String>> rows) {
    List<List<String>> all = new ArrayList<>(rows);
    all.add(1, Collections.nCopies(rows.getFirst().size(), "---"));
    return all.stream()
        .map(row -> row.stream().map(cell -> cell.replace("|", "\\|")))
        .map(row -> row.collect(Collectors.joining(" | ", "| ", " |\n")))
        .collect(Collectors.joining());
  }

  private static List<List<String>> measures(List<Comparison.Collection> collections) {
    Set<String> systems = systems(collections);
    List<List<String>> rows = new ArrayList<>();
    rows.add(new ArrayList<>(List.of("collection", "queries", "measure")));
    rows.getFirst().addAll(systems);
    for (Comparison.Collection collection : collections) {
      Map<String, String> cells = new HashMap<>();
      collection.systems().forEach(s -> cells.put(s.name(), cell(s, collection.main())));
      List<String> row = new ArrayList<>();
      row.add(collection.name());
      row.add(Integer.toString(collection.queries()));
      row.add(collection.main());
      systems.forEach(system -> row.add(cells.getOrDefault(system, "-")));
      rows.add(row);
    }
    return rows;
  }

  private static Set<String> systems(List<Comparison.Collection> collections) {
    Set<String> names = new LinkedHashSet<>();
    collections.forEach(c -> c.systems().forEach(s -> names.add(s.name())));
    return names;
  }

  /**
   * The main measure of each system by the length of the query, as a table of text: of each
   * collection, and of all that have judgements.
   */
  public static String lengthTable(List<Comparison.Collection> collections) {
    return Report.align(lengths(collections));
  }

  private static List<List<String>> lengths(List<Comparison.Collection> collections) {
    Set<String> systems = systems(collections);
    List<List<String>> rows = new ArrayList<>();
    rows.add(new ArrayList<>(List.of("collection", "words of the query", "queries", "measure")));
    rows.getFirst().addAll(systems);
    for (Comparison.Collection collection : collections) {
      addLengths(rows, collection.name(), collection.main(), collection.lengths(), systems);
    }
    List<Comparison.Collection> judged =
        collections.stream().filter(Comparison.Collection::judged).toList();
    if (judged.size() > 1) {
      List<LengthResult> pooled =
          QueryLengths.of(judged.stream().flatMap(c -> c.details().stream()).toList());
      addLengths(rows, "all queries", judged.getFirst().main(), pooled, systems);
    }
    return rows;
  }

  private static void addLengths(
      List<List<String>> rows,
      String name,
      String main,
      List<LengthResult> lengths,
      Set<String> systems) {
    for (LengthResult length : lengths) {
      List<String> row = new ArrayList<>();
      row.add(name);
      row.add(length.words());
      row.add(Integer.toString(length.queries()));
      row.add(main);
      for (String system : systems) {
        Double mean = length.means().get(system);
        row.add(mean == null ? "-" : "%.4f".formatted(mean));
      }
      rows.add(row);
    }
  }

  private static String cell(SystemResult system, String main) {
    Double p = system.measures().get("p");
    String significance = p == null ? "" : p < 0.001 ? " (p < 0.001)" : " (p %.3f)".formatted(p);
    return orDash(figure(system, main)) + significance;
  }

  private static String orDash(String text) {
    return text.isEmpty() ? "-" : text;
  }

  /** A line for each figure of each system, and for the main measure of each query. */
  private static String csv(Comparison comparison) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("collection", "system", "query", "figure", "value"));
    for (Comparison.Collection collection : comparison.collections()) {
      for (SystemResult system : collection.systems()) {
        List<String> key = List.of(collection.name(), system.name());
        system.measures().forEach((name, value) -> rows.add(row(key, "", name, value)));
        system.agreement().forEach((name, value) -> rows.add(row(key, "", name, value)));
        if (system.millis() != null && system.cost() != null) {
          rows.add(row(key, "", "milliseconds", system.millis()));
          rows.add(row(key, "", "cost of 1,000 queries", system.cost()));
        }
        for (LengthResult length : collection.lengths()) {
          Double mean = length.means().get(system.name());
          if (mean != null) {
            String words = ", queries of %s words".formatted(length.words());
            rows.add(row(key, "", collection.main() + words, mean));
          }
        }
        for (Comparison.QueryResult query : collection.details()) {
          Double value = query.values().get(system.name());
          if (value != null) {
            rows.add(row(key, query.id(), collection.main(), value));
          }
        }
      }
    }
    return rows.stream()
        .map(row -> row.stream().map(ComparisonFiles::quoted).collect(Collectors.joining(",")))
        .collect(Collectors.joining("\r\n", "", "\r\n"));
  }

  private static List<String> row(List<String> key, String query, String figure, Double value) {
    return List.of(key.get(0), key.get(1), query, figure, Double.toString(value));
  }

  /** As RFC 4180 has it. */
  private static String quoted(String value) {
    return value.matches("[\\w .@-]*") ? value : '"' + value.replace("\"", "\"\"") + '"';
  }
}
