package org.semanticbm25.eval.collection;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.lucene.util.IOConsumer;
import org.semanticbm25.eval.UserException;

/**
 * Reads a file of JSON objects, one a line, with {@code _id}, {@code text} and perhaps {@code
 * title}, as BEIR's corpora and queries are.
 */
public final class Records {
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  private Records() {}

  /**
   * Reads all records.
   *
   * @throws UserException naming file and line if one is not such an object or an id occurs twice,
   *     or if there is none
   */
  public static void forEach(Path file, IOConsumer<Passage> consumer) throws IOException {
    Set<String> ids = new HashSet<>();
    TextFile.forEachLine(
        file,
        (line, number) -> {
          Passage passage = parse(line, file + ":" + number);
          if (!ids.add(passage.id())) {
            throw new UserException(
                "%s:%d: the _id '%s' occurs a second time; ids must be unique"
                    .formatted(file, number, passage.id()));
          }
          consumer.accept(passage);
        });
    if (ids.isEmpty()) {
      throw new UserException(file + ": is empty; give one JSON object a line");
    }
  }

  private static Passage parse(String line, String place) throws UserException {
    JsonNode node;
    try {
      node = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      throw new UserException(
          "%s: not one JSON object on the line (%s); give one {\"_id\": …, \"text\": …} a line"
              .formatted(place, e.getOriginalMessage()),
          e);
    }
    if (!node.isObject()) {
      throw new UserException(
          place + ": not a JSON object; give one {\"_id\": …, \"text\": …} a line");
    }
    String text = text(node, "text", place);
    if (!node.has("text")) {
      throw new UserException(
          "%s: has no 'text', but %s; name the text 'text'".formatted(place, names(node)));
    }
    return new Passage(id(node, place), text(node, "title", place), text);
  }

  /** A string, or a whole number as its digits, without white space around it. */
  private static String id(JsonNode node, String place) throws UserException {
    JsonNode value = node.path("_id");
    if (value.isMissingNode()) {
      throw new UserException(
          "%s: has no '_id', but %s; name the id '_id'".formatted(place, names(node)));
    }
    String id = "";
    if (value.isTextual()) {
      id = value.asText().strip();
    } else if (value.isNumber()) {
      BigDecimal number = value.decimalValue().stripTrailingZeros();
      id = number.scale() <= 0 ? number.toPlainString() : "";
    }
    if (id.isEmpty()) {
      throw new UserException(
          "%s: its _id is %s; give a string that is not empty, or a whole number"
              .formatted(place, value));
    }
    return id;
  }

  /** A string, a number, or a list of these, joined by a space; nothing for null. */
  private static String text(JsonNode node, String field, String place) throws UserException {
    JsonNode value = node.path(field);
    if (value.isMissingNode() || value.isNull()) {
      return "";
    }
    if (value.isArray()) {
      List<String> parts = new ArrayList<>();
      for (JsonNode part : value) {
        parts.add(single(part, field, place));
      }
      return String.join(" ", parts);
    }
    return single(value, field, place);
  }

  private static String single(JsonNode value, String field, String place) throws UserException {
    if (value.isTextual() || value.isNumber()) {
      return value.asText();
    }
    throw new UserException(
        "%s: its %s is %s; give a string, or a list of strings".formatted(place, field, value));
  }

  private static List<String> names(JsonNode node) {
    List<String> names = new ArrayList<>();
    node.fieldNames().forEachRemaining(names::add);
    return names;
  }
}
