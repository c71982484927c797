package org.semanticbm25.eval.cli.option;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.onnx.distill.TrainingLists;
import org.semanticbm25.onnx.distill.WordCounts;
import picocli.CommandLine.Option;

/** The lists of queries and passages that functions are fitted on. */
public final class ListsOption {
  public static final int MIN_QUERIES = 2;

  @Option(
      names = "--lists",
      paramLabel = "DIR",
      description =
          "folder with lists.jsonl.gz, {query, passages}, and passages.jsonl.gz, {_id, text}, one"
              + " object a line")
  @Nullable Path folder;

  @Option(
      names = "--queries",
      paramLabel = "N",
      defaultValue = "1500",
      description = "training queries of the lists to use (default: ${DEFAULT-VALUE})")
  public int queries;

  @Option(
      names = "--development-queries",
      paramLabel = "N",
      defaultValue = "500",
      description = "development queries of the lists to use (default: ${DEFAULT-VALUE})")
  int developmentQueries;

  /** Whether lists are given. */
  public boolean isGiven() {
    return folder != null;
  }

  /** Reads the lists. */
  public TrainingLists read() throws IOException {
    return read(queries);
  }

  /**
   * Reads lists.
   *
   * @param count training queries at most
   */
  public TrainingLists read(int count) throws IOException {
    Path given = folder();
    if (queries < MIN_QUERIES || developmentQueries < MIN_QUERIES) {
      throw new UserException(
          "--queries %d, --development-queries %d: must be %d or more"
              .formatted(queries, developmentQueries, MIN_QUERIES));
    }
    return TrainingLists.read(given, count, developmentQueries);
  }

  /** Counts the words of all passages. */
  public WordCounts countWords() throws IOException {
    return TrainingLists.countWords(folder());
  }

  private Path folder() throws UserException {
    if (folder == null) {
      throw new UserException("--lists: is missing; give a folder with " + TrainingLists.LISTS);
    }
    return folder;
  }
}
