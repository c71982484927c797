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

  @Test
  void swapsWholeWordsBothWaysAndFillsPlaceHolders() {
    assertEquals(
        List.of(
            new Swap(HE_SHE, "can He help her if she can", "can she help her if he can"),
            new Swap(HE_SHE, "is he a nurse", "is she a nurse")),
        SwapAudit.swaps(
            List.of("can He help her if she can", "the sheet", "is {} a nurse"), List.of(HE_SHE)));
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
