package org.semanticbm25.onnx.runtime;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Opens Hugging Face {@code tokenizer.json} files. */
public final class Tokenizers {
  private Tokenizers() {}

  /** Opens a tokenizer that neither pads nor truncates, whatever its file asks for. */
  static HuggingFaceTokenizer open(Path file) throws IOException {
    vocabulary(file);
    try {
      return HuggingFaceTokenizer.builder()
          .optTokenizerPath(file)
          .optAddSpecialTokens(true)
          .optPadding(false)
          .optTruncation(false)
          .build();
    } catch (RuntimeException e) {
      throw new IOException(file + ": not a tokenizer that can be read; fetch it again", e);
    }
  }

  /**
   * A WordPiece vocabulary.
   *
   * @param pieces by id; null where an id has no piece
   * @param special tokens that stand for no text, such as {@code [CLS]}
   */
  public record Vocabulary(List<@Nullable String> pieces, Set<String> special) {
    /**
     * Whether a token stands for no text, such as {@code [CLS]}.
     *
     * @param id in [0, {@code pieces().size()})
     * @return false if the id has no piece
     */
    public boolean isSpecial(int id) {
      return special.contains(pieces.get(id));
    }

    /**
     * Whether a token stands for text: neither special nor kept for later, nor missing.
     *
     * @param id in [0, {@code pieces().size()})
     * @return false if the id has no piece
     */
    public boolean isText(int id) {
      String piece = pieces.get(id);
      return piece != null && !isSpecial(id) && !piece.matches("\\[unused\\d+]");
    }
  }

  /**
   * Reads the vocabulary of a tokenizer, without loading the tokenizer itself.
   *
   * @param file a Hugging Face {@code tokenizer.json}
   * @return the pieces up to the highest id, and the special tokens
   * @throws IOException if the file is missing, is not JSON or has no vocabulary; the message names
   *     the file
   */
  public static Vocabulary vocabulary(Path file) throws IOException {
    JsonNode root;
    try {
      root = new ObjectMapper().readTree(file.toFile());
    } catch (JacksonException e) {
      throw new IOException(file + ": not a tokenizer.json, or damaged; fetch it again", e);
    }
    JsonNode entries = root.path("model").path("vocab");
    if (!entries.isObject() || entries.isEmpty()) {
      throw new IOException(
          file + ": no WordPiece vocabulary in it; give the tokenizer.json of a BERT-family model");
    }
    @Nullable String[] pieces = new @Nullable String[maxId(entries) + 1];
    entries.properties().forEach(entry -> pieces[entry.getValue().asInt()] = entry.getKey());
    Set<String> special = new HashSet<>();
    for (JsonNode token : root.path("added_tokens")) {
      if (token.path("special").asBoolean()) {
        special.add(token.path("content").asText());
      }
    }
    return new Vocabulary(Arrays.asList(pieces), special);
  }

  private static int maxId(JsonNode entries) {
    int max = 0;
    for (JsonNode id : entries) {
      max = Math.max(max, id.asInt());
    }
    return max;
  }
}
