package org.semanticbm25.onnx.runtime;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Tokenises queries and passages apart, so that a query is read once for all its passages, into the
 * same ids as the tokenizer's own encoding of the pair: {@code [CLS] query [SEP] passage [SEP]}, or
 * {@code <s> query </s></s> passage </s>}. A tokenizer that puts nothing around a pair but knows
 * {@code [CLS]} and {@code [SEP]} is read as BERT's.
 *
 * <p>Thread-safe.
 */
public final class PairTokenizer implements AutoCloseable {
  // a token of English has four or five characters; this many more are read before looking again
  private static final int CHARACTERS_PER_TOKEN = 8;
  private static final int LONGEST_WORD = 1000;

  private final HuggingFaceTokenizer tokenizer;
  private final int first;
  private final int separator;
  private final int separators;
  private final int passageType;

  /**
   * Opens a tokenizer.
   *
   * @param file a Hugging Face {@code tokenizer.json}
   * @throws IOException if the file cannot be read or its pairs are of another form
   */
  public PairTokenizer(Path file) throws IOException {
    tokenizer = Tokenizers.open(file);
    try {
      int[] own = ids(tokenizer.encode("", ""));
      int[] around = own.length > 0 ? own : Tokenizers.aroundPairs(file);
      if (around.length < 3 || around.length > 4) {
        throw otherForm(file);
      }
      first = around[0];
      separator = around[1];
      separators = around.length - 2;
      if (own.length == 0) {
        // nothing to compare with: BERT's form
        passageType = 1;
        return;
      }
      Encoding pair = tokenizer.encode("a", "a");
      passageType = (int) pair.getTypeIds()[pair.getTypeIds().length - 1];
      if (!hasForm(pair)) {
        throw otherForm(file);
      }
    } catch (IOException | RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  private static IOException otherForm(Path file) {
    return new IOException(
        file
            + ": does not encode a pair as [CLS] query [SEP] passage [SEP], or with two separators"
            + " between; give the tokenizer.json of a BERT-family model");
  }

  /** Whether tokens and types of the pair "a", "a" are what scoring makes of it. */
  private boolean hasForm(Encoding pair) {
    int[] a = encode("a");
    int[] ids = new int[2 * a.length + 2 + separators];
    long[] types = new long[ids.length];
    Arrays.fill(ids, separator);
    ids[0] = first;
    int passage = 1 + a.length + separators;
    System.arraycopy(a, 0, ids, 1, a.length);
    System.arraycopy(a, 0, ids, passage, a.length);
    Arrays.fill(types, passage, types.length, passageType);
    return Arrays.equals(ids(pair), ids) && Arrays.equals(pair.getTypeIds(), types);
  }

  /**
   * The token before a text or a query.
   *
   * @return id of {@code [CLS]}
   */
  public int first() {
    return first;
  }

  /**
   * The token after a text, after the query and after the passage.
   *
   * @return id of {@code [SEP]}
   */
  public int separator() {
    return separator;
  }

  /**
   * How many separators stand between query and passage.
   *
   * @return 1, or 2 as RoBERTa has them
   */
  public int separators() {
    return separators;
  }

  /**
   * Tokens of a pair that are neither query nor passage.
   *
   * @return the first one, those between and the last one
   */
  public int specialTokens() {
    return 2 + separators;
  }

  /**
   * The type of the passage's tokens and of the separator after it; that of the others is 0.
   *
   * @return 0 or 1
   */
  public int passageType() {
    return passageType;
  }

  /**
   * All tokens of a text, without the ones around it.
   *
   * @param text any text
   * @return ids; none if the text is blank
   */
  public int[] encode(String text) {
    return ids(tokenizer.encode(text, false, false));
  }

  /**
   * The first tokens of a text: all if there are at most {@code limit}, else {@code limit + 1} or
   * more. Of a long text no more is read than that takes; it is cut at white space, where no token
   * can reach across, if there is any within {@value #LONGEST_WORD} characters: a longer word is
   * none.
   *
   * @param text any text
   * @param limit number of tokens that are needed, 0 or more
   * @return ids of the first tokens, in their order
   */
  public int[] encodeStart(String text, int limit) {
    for (long length = (long) CHARACTERS_PER_TOKEN * (limit + 1);
        length < text.length();
        length *= 2) {
      int end = whiteSpaceFrom(text, (int) length);
      int[] tokens = encode(text.substring(0, end));
      if (tokens.length > limit) {
        return tokens;
      }
    }
    return encode(text);
  }

  private static int whiteSpaceFrom(String text, int position) {
    int end = position;
    int last = Math.min(text.length(), position + LONGEST_WORD);
    while (end < last && text.charAt(end) != ' ' && text.charAt(end) != '\n') {
      end++;
    }
    boolean apart =
        end < text.length() && Character.isSurrogatePair(text.charAt(end - 1), text.charAt(end));
    return apart ? end + 1 : end;
  }

  /**
   * The texts of tokens.
   *
   * @param ids of tokens in the tokenizer's vocabulary
   * @return a text for each id, in their order
   */
  public String[] tokens(int[] ids) {
    return Arrays.stream(ids)
        .mapToObj(id -> tokenizer.decode(new long[] {id}, false))
        .toArray(String[]::new);
  }

  private static int[] ids(Encoding encoding) {
    long[] ids = encoding.getIds();
    int[] narrow = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      narrow[i] = (int) ids[i];
    }
    return narrow;
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
