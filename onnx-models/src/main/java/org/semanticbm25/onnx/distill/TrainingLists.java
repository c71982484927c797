package org.semanticbm25.onnx.distill;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.semanticbm25.onnx.distill.PairSampler.PassageList;
import org.semanticbm25.onnx.hub.Digests;

/**
 * The lists that cross-encoders are trained with, {@code lists.jsonl.gz} with {query, passages} and
 * {@code passages.jsonl.gz} with {_id, text}, as a source of training and development queries: one
 * query in twenty is for development, the same as in {@code onnx-models/training/data.py}.
 *
 * @param train lists of training queries
 * @param development lists of other queries
 */
public record TrainingLists(List<PassageList> train, List<PassageList> development) {
  /** Name of the file with the lists. */
  public static final String LISTS = "lists.jsonl.gz";

  /** Name of the file with the texts of the passages. */
  public static final String PASSAGES = "passages.jsonl.gz";

  private static final BigInteger DEVELOPMENT_SHARE = BigInteger.valueOf(20);
  private static final int MAX_PASSAGES = 12;
  // of all kinds, as Python's split has it
  private static final Pattern WHITE_SPACE = Pattern.compile("(?U)[\\s\\x1c-\\x1f]+");
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Takes a JSON object. */
  @FunctionalInterface
  private interface RecordConsumer {
    void accept(JsonNode node) throws IOException;
  }

  /**
   * With the first lists of training queries only.
   *
   * @param count lists at most
   * @return the same development lists, fewer training lists
   */
  public TrainingLists withTrain(int count) {
    return new TrainingLists(train.subList(0, Math.min(count, train.size())), development);
  }

  /** A list as it stands in the file. */
  private record Entry(String hash, String query, List<String> passages) {
    boolean isDevelopment() {
      return new BigInteger(hash, 16).mod(DEVELOPMENT_SHARE).signum() == 0;
    }
  }

  /**
   * Counts the words of all passages of a folder.
   *
   * @param folder with {@code passages.jsonl.gz}
   * @return the counts
   * @throws IOException if the file is missing or damaged; the message names it and the remedy
   */
  public static WordCounts countWords(Path folder) throws IOException {
    WordCounts counts = new WordCounts();
    forEachLine(
        folder.resolve(PASSAGES),
        List.of("_id", "text"),
        node -> counts.add(node.path("text").asText()));
    return counts;
  }

  /**
   * Draws lists, the same ones every time: those whose queries have the least hashes. Of a list the
   * first 12 passages are taken.
   *
   * @param folder with {@code lists.jsonl.gz} and {@code passages.jsonl.gz}
   * @param trainCount lists of training queries at most
   * @param developmentCount lists of development queries at most
   * @return at least two lists of either kind
   * @throws IOException if a file is missing or damaged, if a passage of a list is missing, or if
   *     there are fewer than two lists of a kind; the message names the file
   */
  public static TrainingLists read(Path folder, int trainCount, int developmentCount)
      throws IOException {
    List<Entry> entries = new ArrayList<>();
    forEachLine(
        folder.resolve(LISTS),
        List.of("query", "passages"),
        node -> {
          List<String> ids = new ArrayList<>();
          node.path("passages").forEach(id -> ids.add(id.asText()));
          String query = node.path("query").asText();
          entries.add(
              new Entry(hash(query), query, ids.subList(0, Math.min(MAX_PASSAGES, ids.size()))));
        });
    entries.sort(Comparator.comparing(Entry::hash));
    List<Entry> train = entries.stream().filter(e -> !e.isDevelopment()).limit(trainCount).toList();
    List<Entry> development =
        entries.stream().filter(Entry::isDevelopment).limit(developmentCount).toList();
    Set<String> needed = new LinkedHashSet<>();
    train.forEach(entry -> needed.addAll(entry.passages));
    development.forEach(entry -> needed.addAll(entry.passages));
    Map<String, String> texts = new HashMap<>();
    forEachLine(
        folder.resolve(PASSAGES),
        List.of("_id", "text"),
        node -> {
          if (needed.contains(node.path("_id").asText())) {
            texts.put(node.path("_id").asText(), node.path("text").asText());
          }
        });
    return new TrainingLists(texts(folder, train, texts), texts(folder, development, texts));
  }

  private static List<PassageList> texts(
      Path folder, List<Entry> entries, Map<String, String> texts) throws IOException {
    List<PassageList> lists = new ArrayList<>();
    for (Entry entry : entries) {
      List<String> passages = new ArrayList<>();
      for (String id : entry.passages) {
        String text = texts.get(id);
        if (text == null) {
          throw new IOException(
              "%s: passage '%s' of %s is not there; give files that belong together"
                  .formatted(folder.resolve(PASSAGES), id, LISTS));
        }
        passages.add(text);
      }
      lists.add(new PassageList(entry.query, passages));
    }
    if (lists.size() < 2) {
      throw new IOException(
          folder.resolve(LISTS) + ": has too few queries; give 100 lists or more");
    }
    return lists;
  }

  /** Of the query in lower case, its words parted by one space, as Python's split has them. */
  private static String hash(String query) {
    return Digests.sha256(
        WHITE_SPACE
            .splitAsStream(query.toLowerCase(Locale.ROOT))
            .filter(word -> !word.isEmpty())
            .collect(Collectors.joining(" ")));
  }

  private static void forEachLine(Path file, List<String> fields, RecordConsumer consumer)
      throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new IOException(
          "%s: no such file; give a folder with %s and %s".formatted(file, LISTS, PASSAGES));
    }
    int number = 0;
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(file)), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        String json = number == 1 ? withoutByteOrderMark(line) : line;
        if (json.isBlank()) {
          continue;
        }
        JsonNode node = JSON.readTree(json);
        for (String field : fields) {
          JsonNode value = node.path(field);
          if (value.isMissingNode() || (value.isArray() && value.isEmpty())) {
            throw new IOException("%s:%s: has no '%s'".formatted(file, number, field));
          }
        }
        consumer.accept(node);
      }
    } catch (JacksonException e) {
      throw new IOException("%s:%s: not a JSON object".formatted(file, number), e);
    } catch (ZipException | EOFException e) {
      throw new IOException(file + ": not a gzip file, or damaged; fetch it again", e);
    }
  }

  private static String withoutByteOrderMark(String line) {
    return line.startsWith("\uFEFF") ? line.substring(1) : line;
  }
}
