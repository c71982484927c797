package org.semanticbm25.onnx.runtime;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Tokenises queries and passages apart, so that a query is read once for all its passages, into the
 * same ids as the tokenizer's own encoding of the pair: {@code [CLS] query [SEP] passage [SEP]}.
 *
 * <p>Thread-safe.
 */
public final class PairTokenizer implements AutoCloseable {
  // a token of English has four or five characters; this many more are read before looking again
  private static final int CHARACTERS_PER_TOKEN = 8;

  private final HuggingFaceTokenizer tokenizer;
  private final int first;
  private final int separator;

  /**
   * Opens a tokenizer.
   *
   * @param file a Hugging Face {@code tokenizer.json}
   * @throws IOException if the file cannot be read or its pairs are not of BERT's form
   */
  public PairTokenizer(Path file) throws IOException {
    tokenizer = Tokenizers.open(file);
    try {
      long[] ids = tokenizer.encode("", "").getIds();
      if (!isBert(ids, tokenizer.encode("", "a").getTypeIds())) {
        throw new IOException(
            file
                + ": does not encode a pair as [CLS] query [SEP] passage [SEP]; give the"
                + " tokenizer.json of a BERT-family model");
      }
      first = (int) ids[0];
      separator = (int) ids[1];
    } catch (IOException | RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  private static boolean isBert(long[] ids, long[] types) {
    return ids.length == 3
        && ids[1] == ids[2]
        && types.length > 3
        && types[1] == 0
        && types[2] == 1
        && types[types.length - 1] == 1;
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
   * more. Of a long text no more is read than that takes; it is cut at white space only, where no
   * token can reach across.
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
      if (end == text.length()) {
        break;
      }
      int[] tokens = encode(text.substring(0, end));
      if (tokens.length > limit) {
        return tokens;
      }
    }
    return encode(text);
  }

  private static int whiteSpaceFrom(String text, int position) {
    int end = position;
    while (end < text.length() && text.charAt(end) != ' ' && text.charAt(end) != '\n') {
      end++;
    }
    return end;
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
