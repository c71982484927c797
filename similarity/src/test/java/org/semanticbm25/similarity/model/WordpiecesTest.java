package org.semanticbm25.similarity.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class WordpiecesTest {
  private static final Wordpieces PIECES =
      new Wordpieces(List.of("lap", "##top", "note", "##book", "resume", "-", "a", "##a", "e"));

  @Test
  void spellsWithTheLongestPieces() {
    assertArrayEquals(new int[] {0, 1}, PIECES.spell("laptop"));
    assertArrayEquals(new int[] {2, 3, 1}, PIECES.spell("notebooktop"));
    assertArrayEquals(new int[0], PIECES.spell("lapdog"));
    assertArrayEquals(new int[0], PIECES.spell("top"), "a continuation starts no word");
    assertArrayEquals(new int[0], PIECES.spell(""));
  }

  @Test
  void treatsCaseAccentsAndPunctuationAsTheTokenizerDoes() {
    assertArrayEquals(new int[] {4}, PIECES.spell("R\u00e9sum\u00e9"));
    assertArrayEquals(new int[] {4}, PIECES.spell("re\u0301sume\u0301"), "decomposed");
    assertArrayEquals(new int[] {0, 5, 2}, PIECES.spell("lap-note"), "each part starts a word");
    assertArrayEquals(new int[0], PIECES.spell("lap.note"), "the vocabulary has no full stop");
    assertArrayEquals(new int[0], PIECES.spell("\u1230\u120b\u121d"), "a script it cannot spell");
  }

  @Test
  void knowsWhatIsAWord() {
    for (String word :
        List.of("laptop", "r\u00e9sum\u00e9", "wi-fi", "o'brien", "\u1230\u120b\u121d")) {
      assertTrue(Wordpieces.isWord(word), word);
    }
    for (String other : List.of("", "d", "b12", "2019", "c++", "a b")) {
      assertFalse(Wordpieces.isWord(other), other);
    }
  }

  @Test
  void longWordsAreSpeltInLinearTimeOrNotAtAll() {
    assertEquals(100, PIECES.spell("a".repeat(100)).length);
    assertEquals(0, PIECES.spell("a".repeat(101)).length);
    assertTimeout(Duration.ofSeconds(2), () -> PIECES.spell("a".repeat(10_000_000)));
  }

  @Test
  void refusesAnIllegalVocabulary() {
    assertThrows(IllegalArgumentException.class, () -> new Wordpieces(List.of()));
    assertThrows(IllegalArgumentException.class, () -> new Wordpieces(List.of("a", "a")));
  }
}
