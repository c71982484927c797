package org.semanticbm25.onnx.runtime;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Opens Hugging Face {@code tokenizer.json} files. */
public final class Tokenizers {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Tokenizers() {}

  /**
   * Opens a tokenizer that neither pads nor truncates, whatever its file asks for. A {@code
   * tokenizer_config.json} beside it has the last word on upper and lower case.
   */
  static HuggingFaceTokenizer open(Path file) throws IOException {
    JsonNode root = read(file);
    vocabulary(file, root);
    takeCase(file, root);
    Map<String, String> options =
        Map.of("addSpecialTokens", "true", "padding", "false", "truncation", "false");
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    try {
      // the native library is looked for with it, which in a server knows no plugin's classes
      thread.setContextClassLoader(HuggingFaceTokenizer.class.getClassLoader());
      return HuggingFaceTokenizer.newInstance(
          new ByteArrayInputStream(JSON.writeValueAsBytes(root)), options);
    } catch (RuntimeException e) {
      throw new IOException(file + ": not a tokenizer that can be read; fetch it again", e);
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  /** What stands around a pair by BERT's rule, if the vocabulary has it; else nothing. */
  static int[] aroundPairs(Path file) throws IOException {
    List<@Nullable String> pieces = vocabulary(file).pieces();
    int first = pieces.indexOf("[CLS]");
    int separator = pieces.indexOf("[SEP]");
    return first < 0 || separator < 0 ? new int[0] : new int[] {first, separator, separator};
  }

  /** What Hugging Face's own loader does with {@code do_lower_case}. */
  private static void takeCase(Path file, JsonNode root) throws IOException {
    Path config = file.resolveSibling("tokenizer_config.json");
    if (root.path("normalizer") instanceof ObjectNode normalizer
        && normalizer.path("type").asText().equals("BertNormalizer")
        && Files.isRegularFile(config)) {
      JsonNode lowerCase = read(config).path("do_lower_case");
      if (lowerCase.isBoolean()) {
        normalizer.set("lowercase", lowerCase);
      }
    }
  }

  /**
   * The vocabulary of a tokenizer.
   *
   * @param pieces by id; null where an id has no piece
   * @param special tokens that stand for no text, such as {@code [CLS]}
   * @param wordPiece whether the pieces are BERT's, of which a word's first is as it stands and the
   *     others begin with {@code ##}
   */
  public record Vocabulary(List<@Nullable String> pieces, Set<String> special, boolean wordPiece) {
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
    return vocabulary(file, read(file));
  }

  private static JsonNode read(Path file) throws IOException {
    try {
      return JSON.readTree(file.toFile());
    } catch (JacksonException e) {
      throw new IOException(file + ": not JSON, or damaged; fetch it again", e);
    }
  }

  private static Vocabulary vocabulary(Path file, JsonNode root) throws IOException {
    JsonNode model = root.path("model");
    JsonNode entries = model.path("vocab");
    List<@Nullable String> pieces = new ArrayList<>();
    if (entries.isArray()) {
      // of a unigram model: pairs of piece and score
      entries.forEach(entry -> pieces.add(entry.path(0).asText()));
    }
    entries.properties().forEach(entry -> put(pieces, entry.getValue().asInt(), entry.getKey()));
    if (pieces.isEmpty()) {
      throw new IOException(
          file + ": no vocabulary in it; give the tokenizer.json of a BERT-family model");
    }
    boolean wordPiece =
        model.has("type")
            ? model.path("type").asText().equals("WordPiece")
            : model.has("continuing_subword_prefix") && !model.has("merges");
    Set<String> special = new HashSet<>();
    for (JsonNode token : root.path("added_tokens")) {
      put(pieces, token.path("id").asInt(), token.path("content").asText());
      if (token.path("special").asBoolean()) {
        special.add(token.path("content").asText());
      }
    }
    return new Vocabulary(pieces, special, wordPiece);
  }

  private static void put(List<@Nullable String> pieces, int id, String piece) {
    while (pieces.size() <= id) {
      pieces.add(null);
    }
    pieces.set(id, piece);
  }
}
