package org.semanticbm25.eval.collection;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.onnx.AtomicFile;

/**
 * What a system found: for each query id its hits, best first.
 *
 * <p>Read and written as TREC run files, {@code qid Q0 docid rank score tag}. As trec_eval does, a
 * reader takes the order from the scores, ties by descending id, and ignores ranks. A writer
 * therefore writes strictly decreasing scores, so that everybody reads back the order it meant. Ids
 * that hold a space are written between tabs, as this reader, but not trec_eval, understands.
 *
 * @param hits by query id; best first
 */
public record Run(Map<String, List<Hit>> hits) {
  /** A passage and its score. */
  public record Hit(String id, float score) {}

  private static final Pattern SPACES = Pattern.compile("[\\s\\u00a0]+");
  private static final Pattern NUMBER =
      Pattern.compile("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?");
  private static final int COLUMNS = 6;
  // UTF-8's order, which for ids beyond U+FFFF is not that of Java's strings
  private static final Comparator<String> BY_CODE_POINT =
      (a, b) -> Arrays.compare(a.codePoints().toArray(), b.codePoints().toArray());
  private static final Comparator<Hit> TREC_ORDER =
      Comparator.comparingDouble((Hit hit) -> -hit.score)
          .thenComparing(Hit::id, BY_CODE_POINT.reversed());

  /**
   * Reads a run file, plain or compressed with gzip.
   *
   * @throws UserException naming file and line if a line is wrong, or a passage occurs twice for a
   *     query; naming the file if there is none
   */
  public static Run read(Path file) throws IOException {
    Map<String, Map<String, Hit>> hits = new LinkedHashMap<>();
    TextFile.forEachLine(
        file,
        (line, number) -> {
          String[] columns = split(line);
          if (columns.length != COLUMNS || !NUMBER.matcher(columns[4]).matches()) {
            throw new UserException(
                "%s:%d: not 'qid Q0 docid rank score tag', with a number as the score: %s"
                    .formatted(file, number, line));
          }
          Hit hit = new Hit(columns[2], Float.parseFloat(columns[4]));
          if (hits.computeIfAbsent(columns[0], q -> new HashMap<>()).put(hit.id, hit) != null) {
            throw new UserException(
                "%s:%d: passage '%s' occurs a second time for query '%s'; leave one of them"
                    .formatted(file, number, hit.id, columns[0]));
          }
        });
    if (hits.isEmpty()) {
      throw new UserException(file + ": is empty; give lines 'qid Q0 docid rank score tag'");
    }
    Map<String, List<Hit>> sorted = new LinkedHashMap<>();
    hits.forEach(
        (query, all) -> sorted.put(query, all.values().stream().sorted(TREC_ORDER).toList()));
    return new Run(sorted);
  }

  private static String[] split(String line) {
    String[] byTab = line.split("\t", -1);
    return byTab.length == COLUMNS ? byTab : SPACES.split(line.strip());
  }

  /** The run without hits that are the query itself, for some queries. */
  public Run without(Set<String> self) {
    return mapped(
        (query, all) -> all.filter(hit -> !self.contains(query) || !hit.id.equals(query)));
  }

  /**
   * Hits that were ranked anew and, below them all, those of the first pass that were not, in their
   * order.
   */
  public static List<Hit> withRest(List<Hit> ranked, List<Hit> firstPass) {
    Set<String> known = new HashSet<>();
    ranked.forEach(hit -> known.add(hit.id));
    List<Hit> all = new ArrayList<>(ranked);
    float lowest = ranked.isEmpty() ? 0 : ranked.getLast().score;
    for (Hit hit : firstPass) {
      if (!known.contains(hit.id)) {
        all.add(new Hit(hit.id, --lowest));
      }
    }
    return all;
  }

  /** The first hits of each query. */
  public Run first(int depth) {
    return mapped((query, all) -> all.limit(depth));
  }

  /** The run with some queries only. */
  public Run only(Set<String> queries) {
    Map<String, List<Hit>> some = new LinkedHashMap<>(hits);
    some.keySet().retainAll(queries);
    return new Run(some);
  }

  private Run mapped(BiFunction<String, Stream<Hit>, Stream<Hit>> change) {
    Map<String, List<Hit>> changed = new LinkedHashMap<>();
    hits.forEach((query, all) -> changed.put(query, change.apply(query, all.stream()).toList()));
    return new Run(changed);
  }

  /** Writes a run file whole, or leaves what was there. */
  public void write(Path file, String tag) throws IOException {
    AtomicFile.write(
        file,
        out -> {
          for (Map.Entry<String, List<Hit>> query : hits.entrySet()) {
            write(out, query.getKey(), query.getValue(), tag);
          }
        });
  }

  private static void write(OutputStream out, String query, List<Hit> hits, String tag)
      throws IOException {
    float previous = Float.POSITIVE_INFINITY;
    int rank = 0;
    for (Hit hit : hits) {
      float score = Math.min(hit.score, Math.nextDown(previous));
      boolean spaced = SPACES.matcher(query + hit.id).find();
      String line =
          String.join(
              spaced ? "\t" : " ",
              query,
              "Q0",
              hit.id,
              Integer.toString(++rank),
              Float.toString(score),
              tag);
      out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
      previous = score;
    }
  }
}
