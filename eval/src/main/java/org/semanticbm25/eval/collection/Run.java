package org.semanticbm25.eval.collection;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.onnx.AtomicFile;

/**
 * What a system found: for each query id its hits, best first.
 *
 * <p>Read and written as TREC run files, {@code qid Q0 docid rank score tag}. As trec_eval does, a
 * reader takes the order from the scores, ties by descending id, and ignores ranks. A writer
 * therefore writes strictly decreasing scores, so that everybody reads back the order it meant.
 *
 * @param hits by query id; best first
 */
public record Run(Map<String, List<Hit>> hits) {
  /** A passage and its score. */
  public record Hit(String id, float score) {}

  private static final Pattern WHITE_SPACE = Pattern.compile("\\s+");
  private static final Comparator<Hit> TREC_ORDER =
      Comparator.comparingDouble((Hit hit) -> -hit.score)
          .thenComparing(Hit::id, Comparator.reverseOrder());

  /** Reads a run file. */
  public static Run read(Path file) throws IOException {
    Map<String, List<Hit>> hits = new LinkedHashMap<>();
    Dataset.forEachLine(
        file,
        (line, number) -> {
          String[] columns = WHITE_SPACE.split(line.strip());
          try {
            hits.computeIfAbsent(columns[0], q -> new ArrayList<>())
                .add(new Hit(columns[2], Float.parseFloat(columns[4])));
          } catch (ArrayIndexOutOfBoundsException | NumberFormatException e) {
            throw new UserException(
                "%s:%d: not 'qid Q0 docid rank score tag': %s".formatted(file, number, line), e);
          }
        });
    hits.values().forEach(list -> list.sort(TREC_ORDER));
    return new Run(hits);
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
      String line =
          "%s Q0 %s %d %s %s%n".formatted(query, hit.id, ++rank, Float.toString(score), tag);
      out.write(line.getBytes(StandardCharsets.UTF_8));
      previous = score;
    }
  }
}
