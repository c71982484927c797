package org.semanticbm25.similarity.model;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.lucene.util.Accountable;
import org.apache.lucene.util.RamUsageEstimator;

/**
 * A WordPiece vocabulary, and how it spells words: as the uncased tokenizer of BERT does, lower
 * case, without accents, punctuation apart, then greedily the longest piece.
 *
 * <p>Spelling takes time linear in the length of a word. Immutable and thread-safe.
 *
 * @lucene.experimental
 */
public final class Wordpieces implements Accountable {
  private static final String CONTINUATION = "##";
  private static final int[] NONE = {};

  /** Longest word, in characters, that is spelt; BERT's tokenizer has the same limit. */
  public static final int MAX_WORD_LENGTH = 100;

  private final List<String> pieces;
  private final Map<String, Integer> first;
  private final Map<String, Integer> later;
  private final int longest;

  /**
   * Takes a vocabulary.
   *
   * @param pieces those that continue a word begin with {@code ##}
   * @throws IllegalArgumentException if there are none, or a piece occurs twice
   */
  public Wordpieces(List<String> pieces) {
    if (pieces.isEmpty()) {
      throw new IllegalArgumentException("illegal vocabulary: it is empty");
    }
    this.pieces = List.copyOf(pieces);
    this.first = HashMap.newHashMap(pieces.size());
    this.later = HashMap.newHashMap(pieces.size() / 4);
    int max = 0;
    for (int i = 0; i < pieces.size(); i++) {
      String piece = pieces.get(i);
      Integer other =
          startsWord(i)
              ? first.put(piece, i)
              : later.put(piece.substring(CONTINUATION.length()), i);
      if (other != null) {
        throw new IllegalArgumentException("piece given twice: " + piece);
      }
      max = Math.max(max, piece.length());
    }
    this.longest = max;
  }

  /**
   * Number of pieces.
   *
   * @return at least 1
   */
  public int size() {
    return pieces.size();
  }

  /**
   * The piece at an ordinal.
   *
   * @param ordinal in [0, {@link #size()})
   * @return the piece, with {@code ##} if it continues a word
   */
  public String piece(int ordinal) {
    return pieces.get(ordinal);
  }

  /**
   * Whether a piece begins a word.
   *
   * @param ordinal in [0, {@link #size()})
   * @return false if it continues one
   */
  public boolean startsWord(int ordinal) {
    return !pieces.get(ordinal).startsWith(CONTINUATION);
  }

  /**
   * Whether a text is one word of which a model knows more than its letters: at least two letters,
   * perhaps with hyphens and apostrophes, and no digits.
   *
   * @param text a term or a word
   * @return whether soft terms make sense for it
   */
  public static boolean isWord(String text) {
    return text.length() > 1
        && text.codePoints().allMatch(c -> Character.isLetter(c) || isJoint(c) || isMark(c));
  }

  private static boolean isJoint(int c) {
    return c == '-' || c == '\'' || c == '\u2019';
  }

  private static boolean isMark(int c) {
    return Character.getType(c) == Character.NON_SPACING_MARK;
  }

  /**
   * Spells a word.
   *
   * @param word of any case; accents are dropped and punctuation is spelt by itself
   * @return ordinals, or an empty array if a part of the word cannot be spelt or it is longer than
   *     {@value #MAX_WORD_LENGTH} characters
   */
  public int[] spell(String word) {
    if (word.length() > MAX_WORD_LENGTH) {
      return NONE;
    }
    String text = withoutAccents(word);
    List<Integer> found = new ArrayList<>();
    for (int start = 0, end; start < text.length(); start = end) {
      end = endOfPart(text, start);
      if (!spell(text.substring(start, end), found)) {
        return NONE;
      }
    }
    return found.stream().mapToInt(Integer::intValue).toArray();
  }

  private static String withoutAccents(String word) {
    String lower = word.toLowerCase(Locale.ROOT);
    if (isAscii(lower)) {
      return lower;
    }
    StringBuilder plain = new StringBuilder(word.length());
    Normalizer.normalize(lower, Normalizer.Form.NFD)
        .codePoints()
        .filter(c -> !isMark(c))
        .forEach(plain::appendCodePoint);
    return plain.toString();
  }

  private static boolean isAscii(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) >= 128) {
        return false;
      }
    }
    return true;
  }

  /** A part is a punctuation mark, or all characters up to the next one. */
  private static int endOfPart(String text, int start) {
    int end = start + Character.charCount(text.codePointAt(start));
    if (isPunctuation(text.codePointAt(start))) {
      return end;
    }
    while (end < text.length() && !isPunctuation(text.codePointAt(end))) {
      end += Character.charCount(text.codePointAt(end));
    }
    return end;
  }

  private static boolean isPunctuation(int c) {
    if (c < 128) {
      return c > ' ' && !Character.isLetterOrDigit(c);
    }
    return switch (Character.getType(c)) {
      case Character.CONNECTOR_PUNCTUATION,
          Character.DASH_PUNCTUATION,
          Character.START_PUNCTUATION,
          Character.END_PUNCTUATION,
          Character.INITIAL_QUOTE_PUNCTUATION,
          Character.FINAL_QUOTE_PUNCTUATION,
          Character.OTHER_PUNCTUATION ->
          true;
      default -> false;
    };
  }

  private boolean spell(String part, List<Integer> found) {
    for (int start = 0; start < part.length(); ) {
      Integer ordinal = null;
      int end = Math.min(part.length(), start + longest) + 1;
      while (ordinal == null && --end > start) {
        ordinal = (start == 0 ? first : later).get(part.substring(start, end));
      }
      if (ordinal == null) {
        return false;
      }
      found.add(ordinal);
      start = end;
    }
    return true;
  }

  @Override
  public long ramBytesUsed() {
    return pieces.stream().mapToLong(RamUsageEstimator::sizeOf).sum()
        + RamUsageEstimator.HASHTABLE_RAM_BYTES_PER_ENTRY * (first.size() + later.size());
  }
}
