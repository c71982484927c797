package org.semanticbm25.eval;

import java.io.IOException;
import java.nio.file.Path;
import org.semanticbm25.onnx.CrossEncoder;
import org.semanticbm25.onnx.NeuralModel;
import picocli.CommandLine.Option;

/** The cross-encoder that commands rerank with. */
final class CrossEncoderOption {
  @Option(
      names = "--model",
      paramLabel = "DIR",
      description =
          "folder with model.onnx (or onnx/model.onnx) and tokenizer.json of a cross-encoder, or the"
              + " ONNX file (default: the bundled cross-encoder)")
  Path folder;

  /**
   * Opens it.
   *
   * @param home where the bundled one is unpacked
   */
  CrossEncoder open(Path home) throws IOException {
    return CrossEncoder.builder(model(home)).open();
  }

  /** Its files. */
  NeuralModel model(Path home) throws IOException {
    return folder != null ? NeuralModel.at(folder) : NeuralModel.bundled(home.resolve("models"));
  }
}
