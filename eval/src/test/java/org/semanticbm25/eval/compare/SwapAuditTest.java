package org.semanticbm25.eval.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.semanticbm25.eval.compare.SwapAudit.Swap;
import org.semanticbm25.eval.compare.SwapAudit.WordPair;
import org.semanticbm25.eval.measure.Report;

class SwapAuditTest {
  private static final WordPair HE_SHE = new WordPair("he", "she");
  private static final List<String> TEN =
      IntStream.range(0, 10).mapToObj(Integer::toString).toList();

  private static List<String> swapped(String query, String first, String second) {
    return SwapAudit.swaps(List.of(query), List.of(new WordPair(first, second))).stream()
        .map(Swap::swapped)
        .toList();
  }

  @Test
  void swapsWholeWordsAndFillsPlaceHolders() {
    assertEquals(List.of("can she if she"), swapped("can He if he", "he", "she"));
    assertEquals(List.of("can he"), swapped("can she", "he", "she"));
    assertEquals(List.of(), swapped("the sheet", "he", "she"));
    assertEquals(List.of(), swapped("he or she", "he", "she"), "a bag of words stays the same");
    assertEquals(List.of("a Java job"), swapped("a C++ job", "C++", "Java"));
    assertEquals(List.of("women's shoes"), swapped("men's shoes", "men's", "women's"));
    assertEquals(
        List.of(new Swap(HE_SHE, "is {} a nurse", "is he a nurse", "is she a nurse")),
        SwapAudit.swaps(List.of("is {} a nurse"), List.of(HE_SHE)));
  }

  /** Hits that are added change a ranking as those that are lost do, whatever is first. */
  @Test
  void addedHitsAreAChange() throws IOException {
    double[] overlaps = new double[2];
    for (int order = 0; order < 2; order++) {
      SwapAudit audit =
          new SwapAudit(
              SwapAudit.swaps(
                  List.of("{}"), List.of(order == 0 ? HE_SHE : new WordPair("she", "he"))));
      audit.add("longer", query -> query.equals("he") ? TEN.subList(0, 1) : TEN);
      overlaps[order] = audit.bySystem().systems().get("longer").get("RBO");
      assertEquals(0.1, audit.bySystem().systems().get("longer").get("overlap@10"), 1e-12);
    }
    assertTrue(overlaps[0] < 0.5, "RBO " + overlaps[0]);
    assertEquals(overlaps[0], overlaps[1], 1e-12);
  }

  @Test
  void findsAPlantedBiasAndNoneWhereThereIsNone() throws IOException {
    SwapAudit audit =
        new SwapAudit(
            SwapAudit.swaps(
                List.of("is {} a nurse", "is {} there"),
                List.of(HE_SHE, new WordPair("his", "her"))));
    audit.add("fair", query -> TEN);
    audit.add("silent", query -> List.of());
    audit.add(
        "biased",
        query -> query.equals("is he a nurse") ? TEN.stream().map("other"::concat).toList() : TEN);
    Report systems = audit.bySystem();
    for (String fair : List.of("fair", "silent")) {
      assertEquals(1, systems.systems().get(fair).get("RBO"), 1e-12);
      assertEquals(1, systems.systems().get(fair).get("same first"));
    }
    assertEquals(0.75, systems.systems().get("biased").get("RBO"), 1e-12);
    assertEquals(0.75, systems.systems().get("biased").get("overlap@10"), 1e-12);
    assertEquals(0.75, systems.systems().get("biased").get("same first"), 1e-12);
    assertTrue(systems.systems().get("biased").get("RBO low") < 0.75);
    Report pairs = audit.byPair();
    assertEquals(0.5, pairs.systems().get("he / she").get("biased"), 1e-12);
    assertEquals(1, pairs.systems().get("his / her").get("biased"), 1e-12);
  }
}
