package org.semanticbm25.eval.cli.option;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.lucene.store.Directory;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.onnx.attention.AttentionModel;
import org.semanticbm25.onnx.attention.AttentionScorer;
import org.semanticbm25.onnx.hub.NeuralModel;
import picocli.CommandLine.Option;

/** The functions of attention that commands rerank with, and how many layers of them. */
public final class AttentionOption {
  @Option(
      names = "--attention",
      paramLabel = "FILE",
      description =
          "attention model that 'extract --lists' made of --model (default: that of the bundled"
              + " cross-encoder)")
  @Nullable Path file;

  @Option(
      names = "--layers",
      paramLabel = "K",
      description =
          "layers of the cross-encoder to run: fewer are faster, more are closer to it (default:"
              + " two thirds of them)")
  @Nullable Integer layers;

  /** Whether either option is given. */
  public boolean isGiven() {
    return file != null || layers != null;
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

  private AttentionModel read() throws IOException {
    if (file == null) {
      return AttentionModel.bundled();
    }
    UserFiles.requireFile(file, "make one with 'sbm25 extract --lists'");
    try (Directory directory = UserFiles.folderOf(file)) {
      return AttentionModel.read(directory, UserFiles.name(file));
    }
  }
}
