package org.semanticbm25.eval.collection;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** A file of queries, one a line. */
public final class QueryLog {
  private static final Pattern WHITE_SPACE = Pattern.compile("(?U)\\s+");

  private QueryLog() {}

  /**
   * The different queries, but for case and white space, in the order of the file.
   *
   * @return texts by the number of the line, from 1
   */
  public static Map<String, String> read(Path file) throws IOException {
    Set<String> known = new HashSet<>();
    Map<String, String> queries = new LinkedHashMap<>();
    TextFile.forEachLine(
        file,
        (line, number) -> {
          String text = WHITE_SPACE.matcher(line.strip()).replaceAll(" ");
          if (known.add(text.toLowerCase(Locale.ROOT))) {
            queries.put(Long.toString(number), text);
          }
        });
    return queries;
  }
}
