package org.semanticbm25.eval.cli.option;

import org.semanticbm25.eval.UserException;
import org.semanticbm25.lucene.CrossEncoderRescorer;
import picocli.CommandLine.Option;

/** The part that BM25's score has in a cross-encoder's. */
public final class FirstPassOption {
  private static final String NAME = "--first-pass-weight";

  /** Of BM25's score. */
  @Option(
      names = NAME,
      paramLabel = "W",
      description =
          "the cross-encoder's score is logit + W * BM25's score (default: "
              + CrossEncoderRescorer.FIRST_PASS_WEIGHT
              + ")")
  public float weight = CrossEncoderRescorer.FIRST_PASS_WEIGHT;

  /** Refuses a weight out of range. */
  public void check() throws UserException {
    if (!(weight >= 0 && Float.isFinite(weight))) {
      throw new UserException(NAME + " " + weight + ": must be 0 or more, and finite");
    }
  }
}
