package org.semanticbm25.eval.collection;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.semanticbm25.eval.UserException;

/**
 * A collection in BEIR's layout: {@code corpus.jsonl}, {@code queries.jsonl} and {@code
 * qrels/<split>.tsv}.
 *
 * @param name the folder's
 * @param corpus the file of passages; read by {@link #forEachPassage}
 * @param queries text by id, in the order of the file, only those with judgements
 * @param qrels grade by query id and passage id
 */
public record Dataset(
    String name,
    Path corpus,
    Map<String, String> queries,
    Map<String, Map<String, Integer>> qrels) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Takes a value, and may fail with an I/O error. */
  @FunctionalInterface
  public interface Consumer<T> {
    /** Takes the value. */
    void accept(T value) throws IOException;
  }

  /**
   * Reads queries and judgements.
   *
   * @param split as in {@code qrels/test.tsv}
   * @throws UserException if a file is missing or a line of it wrong
   */
  public static Dataset read(Path folder, String split) throws IOException {
    Map<String, Map<String, Integer>> qrels =
        readQrels(folder.resolve("qrels").resolve(split + ".tsv"));
    Map<String, String> queries = new LinkedHashMap<>();
    forEachRecord(
        folder.resolve("queries.jsonl"),
        query -> {
          if (qrels.containsKey(query.id())) {
            queries.put(query.id(), query.text());
          }
        });
    Path corpus = folder.resolve("corpus.jsonl");
    if (!Files.isRegularFile(corpus)) {
      throw new UserException(corpus + ": no such file; give a folder in BEIR's layout");
    }
    String name = folder.toAbsolutePath().normalize().getFileName().toString();
    return new Dataset(name, corpus, queries, qrels);
  }

  /** Reads the judgements of a file with a header and lines {@code query, passage, grade}. */
  public static Map<String, Map<String, Integer>> readQrels(Path file) throws IOException {
    Map<String, Map<String, Integer>> qrels = new LinkedHashMap<>();
    forEachLine(
        file,
        (line, number) -> {
          String[] columns = line.split("\t", -1);
          if (number == 1 && columns.length == 3 && columns[0].equals("query-id")) {
            return;
          }
          try {
            qrels
                .computeIfAbsent(columns[0], q -> new LinkedHashMap<>())
                .put(columns[1], Integer.parseInt(columns[2].strip()));
          } catch (ArrayIndexOutOfBoundsException | NumberFormatException e) {
            throw new UserException(
                "%s:%d: not 'query-id<TAB>corpus-id<TAB>grade': %s".formatted(file, number, line),
                e);
          }
        });
    return qrels;
  }

  /** The text of a query that is in {@link #queries}. */
  public String query(String id) {
    return Objects.requireNonNull(queries.get(id), () -> "no query " + id);
  }

  /** Reads the passages one by one. */
  public void forEachPassage(Consumer<Passage> consumer) throws IOException {
    forEachRecord(corpus, consumer);
  }

  /**
   * Reads a file of JSON objects, one a line, with {@code _id}, {@code text} and perhaps {@code
   * title}.
   *
   * @throws UserException naming file and line if one is not such an object, or an id occurs twice
   */
  public static void forEachRecord(Path file, Consumer<Passage> consumer) throws IOException {
    Set<String> ids = new HashSet<>();
    forEachLine(
        file,
        (line, number) -> {
          Passage passage = parse(file, line, number);
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

  private static Passage parse(Path file, String line, int number) throws IOException {
    JsonNode node;
    try {
      node = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      throw new UserException("%s:%d: not a JSON object".formatted(file, number), e);
    }
    JsonNode id = node.path("_id");
    if (!node.isObject() || id.asText().isEmpty()) {
      throw new UserException(
          "%s:%d: has no '_id'; each line must be {\"_id\": …, \"text\": …}"
              .formatted(file, number));
    }
    return new Passage(id.asText(), node.path("title").asText(), node.path("text").asText());
  }

  /** Takes a line and its number, from 1. */
  @FunctionalInterface
  public interface LineConsumer {
    void accept(String line, int number) throws IOException;
  }

  public static void forEachLine(Path file, LineConsumer consumer) throws IOException {
    try (BufferedReader reader = Files.newBufferedReader(file)) {
      int number = 0;
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        number++;
        if (!line.isBlank()) {
          consumer.accept(line, number);
        }
      }
    } catch (NoSuchFileException e) {
      throw new UserException(file + ": no such file", e);
    } catch (CharacterCodingException e) {
      throw new UserException(file + ": not UTF-8 text", e);
    }
  }
}
