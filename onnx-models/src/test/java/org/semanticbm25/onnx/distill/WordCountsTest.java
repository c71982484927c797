package org.semanticbm25.onnx.distill;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class WordCountsTest {
  @Test
  void countsPassagesWithAWord() throws IOException {
    WordCounts counts = new WordCounts();
    counts.add("The cat saw the Cat's 2 cats, b12 and O'Brien.");
    counts.add("A CAT (na\u00efve)");
    counts.add("");
    assertEquals(3, counts.passages());
    assertEquals(2, counts.frequency("cat"));
    assertEquals(1, counts.frequency("the"), "once a passage");
    for (String other : List.of("2", "b12", "a", "o'brien", "cat's", "dog")) {
      assertEquals(0, counts.frequency(other), other);
    }
    assertEquals(
        List.of("cat", "and", "cats", "na\u00efve", "saw", "the"), counts.mostFrequent(10));
    assertEquals(List.of("cat", "and"), counts.mostFrequent(2));
  }
}
