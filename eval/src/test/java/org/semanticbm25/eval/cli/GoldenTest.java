package org.semanticbm25.eval.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code eval} with the models that ship gives the recorded rankings and measures on a small
 * collection that every checkout has.
 */
class GoldenTest {
  @TempDir Path folder;

  private JsonNode eval() throws IOException, URISyntaxException {
    Path golden = Path.of(GoldenTest.class.getResource("/org/semanticbm25/eval/golden").toURI());
    List<Object> arguments =
        List.of("eval", golden, "--home", at("home"), "-o", at("runs"), "--format", "json");
    PrintStream real = System.out;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
      assertEquals(0, Main.run(arguments.stream().map(Object::toString).toArray(String[]::new)));
    } finally {
      System.setOut(real);
    }
    return new ObjectMapper().readTree(out.toByteArray()).path("systems");
  }

  private Path at(String name) {
    return folder.resolve(name);
  }

  private List<String> ranking(String system, String query) throws IOException {
    return Files.readAllLines(at("runs").resolve(system + ".run")).stream()
        .map(line -> line.split(" "))
        .filter(hit -> hit[0].equals(query))
        .map(hit -> hit[2])
        .toList();
  }

  private static void assertNdcg(double expected, double tolerance, JsonNode system) {
    assertEquals(expected, system.path("nDCG@10").asDouble(), tolerance);
  }

  @Test
  void rankingsAndMeasuresAreAsRecorded() throws IOException, URISyntaxException {
    JsonNode systems = eval();
    assertNdcg(0.8614, 0.00005, systems.path("bm25"));
    assertNdcg(0.9190, 0.00005, systems.path("semantic"));
    // int8 products differ a little between processors
    assertNdcg(0.8891, 0.03, systems.path("contextual"));
    assertNdcg(0.8685, 0.03, systems.path("cross-encoder"));
    assertEquals(List.of("p14"), ranking("bm25", "q3"));
    assertEquals(List.of("p14", "p13"), ranking("semantic", "q3"));
    assertEquals("p13", ranking("contextual", "q3").getFirst());
    assertEquals(List.of("p01", "p02", "p03", "p10"), ranking("cross-encoder", "q1"));
  }
}
