package org.semanticbm25.eval.cli.option;

import java.util.Locale;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.lucene.CrossEncoderRescorer;
import picocli.CommandLine.Option;

/** What is reranked, and the part that its score has in a cross-encoder's. */
public final class FirstPassOption {
  private static final String WEIGHT = "--first-pass-weight";

  /** What finds the hits that are reranked. */
  public enum FirstPass {
    BM25,
    SEMANTIC,
    CONTEXTUAL;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Finds the hits. */
  @Option(
      names = "--first-pass",
      paramLabel = "NAME",
      defaultValue = "bm25",
      description =
          "what finds the hits that are reranked: bm25, semantic or contextual (default:"
              + " ${DEFAULT-VALUE})")
  public FirstPass system;

  /** Of the first pass's score. */
  @Option(
      names = WEIGHT,
      paramLabel = "W",
      description =
          "the cross-encoder's score is logit + W * the first pass's score (default: "
              + CrossEncoderRescorer.FIRST_PASS_WEIGHT
              + ")")
  public float weight = CrossEncoderRescorer.FIRST_PASS_WEIGHT;

  /** Refuses a weight out of range. */
  public void check() throws UserException {
    if (!(weight >= 0 && Float.isFinite(weight))) {
      throw new UserException(WEIGHT + " " + weight + ": must be 0 or more, and finite");
    }
  }
}
