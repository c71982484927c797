package org.semanticbm25.eval.cli;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.testing.TinyBert;
import org.semanticbm25.onnx.testing.TinyModel;
import org.semanticbm25.onnx.testing.TinyModel.Weights;

/**
 * Walks the small odd inputs of {@code ../shared/cases}, each with the outcome that {@code
 * cases.tsv} has for it: folder, {@code ok} or {@code refused}, and parts of what is printed.
 */
class CasesTest {
  private static final Path CASES = Path.of("../../shared/cases");

  @TempDir static Path folder;

  private record Expected(boolean ok, List<String> parts) {}

  @BeforeAll
  static void model() throws IOException {
    TinyModel.write(folder.resolve("onnx"), Weights.FLOAT);
    TinyModel.write(folder.resolve("bert"), Weights.FLOAT);
    new TinyBert(new TinyBert.Shape(TinyModel.VOCABULARY.size(), 128, 3, 32, 2, 128), 1)
        .write(folder.resolve("bert"));
    Outcome made =
        sbm25("extract", folder.resolve("tiny.sbm25"), "--model", folder.resolve("onnx"));
    assertTrue(made.ok, made.printed);
  }

  private static Map<String, Expected> expected() throws IOException {
    Map<String, Expected> all = new TreeMap<>();
    try (InputStream in =
        requireNonNull(CasesTest.class.getResourceAsStream("cases.tsv"), "cases.tsv")) {
      for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
        String[] columns = line.split("\t");
        all.put(
            columns[0],
            new Expected(
                columns[1].equals("ok"), Arrays.asList(columns).subList(2, columns.length)));
      }
    }
    return all;
  }

  private static Set<String> folders() throws IOException {
    assumeTrue(Files.isDirectory(CASES), CASES + " is absent");
    try (Stream<Path> all = Files.list(CASES)) {
      return all.filter(Files::isDirectory)
          .map(path -> path.getFileName().toString())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  @Test
  void everyFolderHasAnOutcome() throws IOException {
    assertEquals(folders(), expected().keySet());
  }

  @TestFactory
  Stream<DynamicTest> hasTheOutcomeThatIsWrittenDown() throws IOException {
    Map<String, Expected> expected = expected();
    return folders().stream()
        .map(
            name ->
                DynamicTest.dynamicTest(
                    name,
                    () -> {
                      Outcome outcome = run(name);
                      Expected wanted = expected.get(name);
                      assertEquals(wanted.ok, outcome.ok, outcome.printed);
                      for (String part : wanted.parts) {
                        assertTrue(
                            outcome.printed.contains(part),
                            () -> "'" + part + "' is not in: " + outcome.printed);
                      }
                    }));
  }

  @ParameterizedTest
  @ValueSource(strings = {"model_meanhead", "model_prenorm_mean", "model_clsmean", "model_base"})
  void modelsThatPoolInOtherWaysAreExtracted(String name) {
    assumeTrue(Files.exists(CASES), "no " + CASES);
    Outcome made =
        sbm25("extract", folder.resolve(name + ".sbm25"), "--model", CASES.resolve(name));
    assertTrue(made.ok, made.printed);
    assertTrue(made.printed.contains("8 dimensions"), made.printed);
  }

  private record Outcome(boolean ok, String printed) {}

  private static Outcome run(String name) throws IOException {
    Path place = CASES.resolve(name);
    if (name.startsWith("model_")) {
      return score(place);
    }
    if (name.startsWith("lists_")) {
      return sbm25(
          "extract",
          folder.resolve(name + ".sbm25"),
          "--model",
          folder.resolve("bert"),
          "--lists",
          place);
    }
    if (name.equals("base_ix")) {
      return search(place);
    }
    if (name.startsWith("shape_")) {
      return search(place.resolve("ix"));
    }
    for (String texts : List.of("c.tsv", "t")) {
      if (Files.exists(place.resolve(texts))) {
        Path index = folder.resolve(name);
        Outcome indexed = sbm25("index", place.resolve(texts), index);
        return indexed.ok ? search(index) : indexed;
      }
    }
    return eval(name, place);
  }

  private static Outcome search(Path index) {
    return sbm25("search", index, "cheap laptops", "--extracted", folder.resolve("tiny.sbm25"));
  }

  private static Outcome eval(String name, Path place) {
    Object[] common = {
      "eval",
      place,
      "--extracted",
      folder.resolve("tiny.sbm25"),
      "--home",
      folder.resolve("home"),
      "--rerank",
      "0",
      "--no-contextual"
    };
    Stream<?> more =
        switch (name) {
          case "relevant_zero" -> Stream.of("--relevant", "0");
          case "self_id_small" -> Stream.of("--run", place.resolve("r.run"));
          default ->
              name.startsWith("run_") || name.endsWith("_run")
                  ? Stream.of("--run", place.resolve("bm25.run"))
                  : Stream.of();
        };
    return sbm25(Stream.concat(Arrays.stream(common), more).toArray());
  }

  /** Scores as {@code expected.json} has them, if it is there. */
  private static Outcome score(Path place) throws IOException {
    Path snapshot = place.resolve("snapshots/abc");
    Path model = Files.exists(snapshot) ? snapshot : place;
    try (CrossEncoder encoder = CrossEncoder.builder(NeuralModel.at(model)).open()) {
      Path file = place.resolve("expected.json");
      if (!Files.exists(file)) {
        return new Outcome(true, "opens");
      }
      JsonNode expected = new ObjectMapper().readTree(file.toFile());
      double worst = 0;
      StringBuilder scores = new StringBuilder();
      for (int i = 0; i < expected.path("pairs").size(); i++) {
        JsonNode pair = expected.path("pairs").get(i);
        float score = encoder.score(pair.get(0).asText(), List.of(pair.get(1).asText()))[0];
        worst =
            Math.max(worst, Math.abs(score - expected.path("expected").get(i).get(0).asDouble()));
        scores.append(' ').append(score).append(' ').append(expected.path("expected").get(i));
      }
      return new Outcome(
          true, worst < 2e-3 ? "equal" : worst < 0.05 ? "close" : "differs by " + worst + scores);
    } catch (IOException e) {
      return new Outcome(false, e.getMessage());
    }
  }

  private static Outcome sbm25(Object... arguments) {
    PrintStream realOut = System.out;
    PrintStream realErr = System.err;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (PrintStream captured = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
      System.setOut(captured);
      System.setErr(captured);
      int code = Main.run(Arrays.stream(arguments).map(Object::toString).toArray(String[]::new));
      return new Outcome(code == 0, bytes.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(realOut);
      System.setErr(realErr);
    }
  }
}
