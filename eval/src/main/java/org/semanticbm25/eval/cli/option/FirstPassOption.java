package org.semanticbm25.eval.cli.option;

import java.util.Collection;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.collection.CachedCrossEncoder;
import org.semanticbm25.lucene.CrossEncoderRescorer;
import org.semanticbm25.lucene.PassageSource;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import picocli.CommandLine.Option;

/** The part that BM25's score has in a cross-encoder's. */
public final class FirstPassOption {
  private static final String NAME = "--first-pass-weight";

  @Option(
      names = NAME,
      paramLabel = "W",
      description =
          "the cross-encoder's score is logit + W * BM25's score (default: "
              + CrossEncoderRescorer.LONG_QUERY_WEIGHT
              + " for queries of more than "
              + CrossEncoderRescorer.LONG_QUERY
              + " tokens, else 0)")
  @Nullable Float weight;

  /** Refuses a weight out of range. */
  public void check() throws UserException {
    if (weight != null && !(weight >= 0 && Float.isFinite(weight))) {
      throw new UserException(NAME + " " + weight + ": must be 0 or more, and finite");
    }
  }

  /** The weight, if it is given. */
  public Optional<Float> setting() {
    return Optional.ofNullable(weight);
  }

  /** The weight for each query of those that a cross-encoder reranks. */
  public ToDoubleFunction<String> weights(CachedCrossEncoder encoder) {
    return weight == null ? encoder::firstPassWeight : query -> weight;
  }

  /** A rescorer of one query. */
  public CrossEncoderRescorer rescorer(CrossEncoder encoder, String query, PassageSource passages) {
    return weight == null
        ? CrossEncoderRescorer.create(encoder, query, passages)
        : CrossEncoderRescorer.interpolated(encoder, query, passages, weight);
  }

  /** Says of how many queries BM25's score has a part by default. */
  public void tellLong(CrossEncoder encoder, Collection<String> queries) {
    long many = queries.stream().filter(q -> CrossEncoderRescorer.isLong(encoder, q)).count();
    if (weight == null && many > 0) {
      Terminal.say(
          "queries of more than %s tokens: %s of %s; their score is logit + %s * BM25's score;"
              + " %s 0 leaves that out",
          CrossEncoderRescorer.LONG_QUERY,
          many,
          queries.size(),
          CrossEncoderRescorer.LONG_QUERY_WEIGHT,
          NAME);
    }
  }
}
