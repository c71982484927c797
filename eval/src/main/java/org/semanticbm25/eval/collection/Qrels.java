package org.semanticbm25.eval.collection;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.UserException;

/**
 * Reads judgements: BEIR's three columns {@code query, passage, grade} or TREC's four, {@code
 * query, iteration, passage, grade}, parted by tabs or by spaces. A header, if there is one, tells
 * the order of the columns.
 */
final class Qrels {
  private static final Pattern SPACES = Pattern.compile("[ \\t]+");
  private static final Pattern GRADE = Pattern.compile("[+-]?\\d{1,9}(\\.0*)?");
  private static final Set<String> QUERY = Set.of("query-id", "query", "qid", "queryid", "topic");
  private static final Set<String> PASSAGE =
      Set.of(
          "corpus-id", "doc-id", "docid", "docno", "passage-id", "pid", "corpusid", "document-id");
  private static final Set<String> GRADES =
      Set.of("score", "grade", "relevance", "rel", "label", "relevance-grade");

  private final Path file;
  private final Map<String, Map<String, Integer>> grades = new LinkedHashMap<>();
  // numbers of the columns; null until the first line is read
  private int @Nullable [] columns;
  private int width;

  private Qrels(Path file) {
    this.file = file;
  }

  /**
   * Reads a file.
   *
   * @return grade by query and passage
   * @throws UserException naming file and line if a line is wrong, or if a pair has two grades
   */
  static Map<String, Map<String, Integer>> read(Path file) throws IOException {
    Qrels qrels = new Qrels(file);
    TextFile.forEachLine(file, qrels::line);
    if (qrels.grades.isEmpty()) {
      throw new UserException(
          file + ": no judgements in it; give lines 'query-id<TAB>corpus-id<TAB>grade'");
    }
    return qrels.grades;
  }

  private void line(String line, int number) throws UserException {
    List<String> values = split(line);
    if (columns == null) {
      width = values.size();
      columns = columns(values, number);
      if (!isGrade(values.getLast())) {
        return;
      }
    }
    if (values.size() != width) {
      throw wrong(number, "%d columns, not %d as before".formatted(values.size(), width));
    }
    String query = values.get(columns[0]);
    String passage = values.get(columns[1]);
    String grade = values.get(columns[2]);
    if (query.isEmpty() || passage.isEmpty()) {
      throw wrong(number, "an empty id");
    }
    if (!isGrade(grade)) {
      throw wrong(number, "the grade '%s' is not a whole number".formatted(grade));
    }
    int value = new BigDecimal(grade).intValueExact();
    Integer before =
        grades.computeIfAbsent(query, q -> new LinkedHashMap<>()).putIfAbsent(passage, value);
    if (before != null && before != value) {
      throw wrong(
          number,
          "query '%s' and passage '%s' have grade %d here and %d before"
              .formatted(query, passage, value, before));
    }
  }

  /** Numbers of the columns of query, passage and grade, by the first line. */
  private int[] columns(List<String> first, int number) throws UserException {
    if (isGrade(first.getLast()) && (width == 3 || width == 4)) {
      return width == 3 ? new int[] {0, 1, 2} : new int[] {0, 2, 3};
    }
    int[] named = {named(first, QUERY), named(first, PASSAGE), named(first, GRADES)};
    if (Arrays.stream(named).anyMatch(column -> column < 0)) {
      throw wrong(number, "neither a judgement nor a header with query-id, corpus-id and score");
    }
    return named;
  }

  private static int named(List<String> header, Set<String> names) {
    for (int i = 0; i < header.size(); i++) {
      if (names.contains(header.get(i).toLowerCase(Locale.ROOT).replace('_', '-'))) {
        return i;
      }
    }
    return -1;
  }

  private static boolean isGrade(String value) {
    return GRADE.matcher(value).matches();
  }

  private static List<String> split(String line) {
    String[] values = line.indexOf('\t') >= 0 ? line.split("\t", -1) : SPACES.split(line.strip());
    return Arrays.stream(values).map(String::strip).map(Qrels::unquoted).toList();
  }

  private static String unquoted(String value) {
    boolean quoted = value.length() > 1 && value.startsWith("\"") && value.endsWith("\"");
    return quoted ? value.substring(1, value.length() - 1).strip() : value;
  }

  private UserException wrong(int number, String what) {
    return new UserException(
        "%s:%d: %s; give lines 'query-id<TAB>corpus-id<TAB>grade', or TREC's four columns"
            .formatted(file, number, what));
  }
}
