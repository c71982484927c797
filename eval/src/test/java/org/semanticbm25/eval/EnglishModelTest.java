package org.semanticbm25.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.junit.jupiter.api.Test;
import org.semanticbm25.english.EnglishModel;
import org.semanticbm25.similarity.field.SemanticField;
import org.semanticbm25.similarity.model.SemanticBM25Model;
import org.semanticbm25.similarity.search.SoftTermQuery;

/** The model that ships. */
class EnglishModelTest {
  private static List<String> softTerms(SemanticField field, String text) {
    return SoftTermQuery.in(field.query(text)).stream()
        .flatMap(query -> query.getSoftTerms().stream())
        .map(soft -> soft.term().text())
        .toList();
  }

  @Test
  void knowsTheWordsOfEnglish() throws IOException {
    SemanticBM25Model model = EnglishModel.load();
    assertTrue(model.words().size() >= 60_000, model.words().size() + " words");
    assertEquals("semanticbm25-cross-encoder-l6-v2", model.provenance().source());
    assertEquals("11000", model.provenance().figures().get("kernel, lists"));
    SemanticField field = SemanticField.of(model, "body", new EnglishAnalyzer());
    assertTrue(softTerms(field, "physician").contains("doctor"), "near in meaning");
    assertFalse(softTerms(field, "physician").contains("banana"));
    int[] weather = model.wordpieces().spell("weather");
    int[] how = model.wordpieces().spell("how");
    assertTrue(model.weight(weather) > 2 * model.weight(how));
  }
}
