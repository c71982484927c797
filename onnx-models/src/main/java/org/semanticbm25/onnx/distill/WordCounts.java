package org.semanticbm25.onnx.distill;

import java.io.IOException;
import java.io.StringReader;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.standard.StandardTokenizer;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.semanticbm25.similarity.model.Wordpieces;

/** In how many passages each word occurs. Not thread-safe. */
public final class WordCounts {
  // with an apostrophe, or what is left of one in text that was decoded wrongly
  private static final Pattern UNUSUAL = Pattern.compile("['\u2019]|[\u00e2\u00e3]$");

  private final Map<String, Integer> frequencies = new HashMap<>();
  private int passages;

  /** Begins without passages. */
  public WordCounts() {}

  /**
   * Counts the words of a passage: lower case, parted as Lucene's standard tokenizer does.
   *
   * @param passage any text
   * @throws IOException never: the text is in memory
   */
  public void add(String passage) throws IOException {
    Set<String> words = new HashSet<>();
    try (StandardTokenizer tokens = new StandardTokenizer()) {
      CharTermAttribute token = tokens.getAttribute(CharTermAttribute.class);
      tokens.setReader(new StringReader(passage));
      tokens.reset();
      while (tokens.incrementToken()) {
        words.add(token.toString().toLowerCase(Locale.ROOT));
      }
      tokens.end();
    }
    words.stream()
        .filter(word -> Wordpieces.isWord(word) && !UNUSUAL.matcher(word).find())
        .forEach(word -> frequencies.merge(word, 1, Integer::sum));
    passages++;
  }

  /**
   * Number of passages.
   *
   * @return 0 or more
   */
  public int passages() {
    return passages;
  }

  /**
   * In how many passages a word occurs.
   *
   * @param word in lower case
   * @return 0 or more
   */
  public int frequency(String word) {
    return frequencies.getOrDefault(word, 0);
  }

  /**
   * The most frequent words.
   *
   * @param limit words at most
   * @return most frequent first, then in the order of the alphabet
   */
  public List<String> mostFrequent(int limit) {
    return frequencies.entrySet().stream()
        .sorted(
            Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder())
                .thenComparing(Map.Entry.comparingByKey()))
        .limit(limit)
        .map(Map.Entry::getKey)
        .toList();
  }
}
