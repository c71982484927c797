package org.semanticbm25.onnx.testing;

import java.util.Random;

/** Random input for tests. */
public final class RandomText {
  private static final String[] WORDS =
      ("the of and index query retrieval passage score lucene neural attention embedding quick"
              + " brown fox jumps over lazy dog token's state-of-the-art 2019 $3.50 naïve résumé"
              + " unaffordable électroencéphalographe xylophonist ÅNGSTRÖM")
          .split(" ");
  private static final String[] ODD = {
    "\u0000",
    "\u0007",
    "\t",
    "\n",
    "\r\n",
    "\u200b",
    "\u00a0",
    "\ufeff",
    "😀",
    "👩‍👩‍👧",
    "[SEP]",
    "[CLS]",
    "[MASK]",
    "[unused1]",
    "##ing",
    "漢字",
    "ひらがな",
    "한국어",
    "مرحبا",
    "нет",
    "e\u0301",
    "½",
    "ﬁ",
    "\ud83d",
    "...",
    "a".repeat(150),
    "\u2028",
    "İ",
    "ß"
  };

  private RandomText() {}

  /** Words of common text. */
  public static String words(Random random, int count) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      text.append(i == 0 ? "" : " ").append(WORDS[random.nextInt(WORDS.length)]);
    }
    return text.toString();
  }

  /** Words mixed with control characters, emoji, special tokens and other traps. */
  public static String odd(Random random, int count) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      String[] from = random.nextBoolean() ? ODD : WORDS;
      text.append(random.nextInt(3) == 0 ? "" : " ").append(from[random.nextInt(from.length)]);
    }
    return text.toString();
  }
}
