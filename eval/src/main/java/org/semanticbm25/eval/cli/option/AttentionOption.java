package org.semanticbm25.eval.cli.option;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.onnx.attention.AttentionModel;
import org.semanticbm25.onnx.attention.AttentionScorer;
import org.semanticbm25.onnx.hub.NeuralModel;
import picocli.CommandLine.Option;

/** The functions of attention that a command reranks with, and how many layers of them. */
public final class AttentionOption extends AttentionFileOption {
  @Option(
      names = "--layers",
      paramLabel = "K",
      description =
          "layers of the cross-encoder to run: fewer are faster, more are closer to it (default:"
              + " two thirds of them)")
  @Nullable Integer layers;

  /** Whether either option is given. */
  public boolean isGiven() {
    return hasFile() || layers != null;
  }

  /**
   * Opens the scorer.
   *
   * @param model the cross-encoder
   */
  public AttentionScorer open(NeuralModel model) throws IOException {
    AttentionModel extracted = read();
    int run = layers != null ? layers : Math.ceilDiv(2 * extracted.layers(), 3);
    if (run < 1 || run > extracted.layers()) {
      throw new UserException(
          "--layers %d: must be 1 to %d, the layers of %s"
              .formatted(run, extracted.layers(), extracted.provenance().source()));
    }
    return AttentionScorer.open(model, extracted, run, Runtime.getRuntime().availableProcessors());
  }
}
