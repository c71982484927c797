package org.semanticbm25.eval;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.semanticbm25.onnx.CrossEncoder;
import org.semanticbm25.onnx.NeuralModel;
import picocli.CommandLine.Option;

/** The cross-encoder that commands rerank with. */
final class CrossEncoderOption {
  @Option(
      names = "--model",
      paramLabel = "DIR",
      description =
          "a cross-encoder to rerank with: folder with model.onnx (or onnx/model.onnx) and"
              + " tokenizer.json, or the ONNX file")
  Path folder;

  /** Opens it, if there is one. */
  Optional<CrossEncoder> open() throws IOException {
    return folder == null
        ? Optional.empty()
        : Optional.of(CrossEncoder.builder(NeuralModel.at(folder)).open());
  }
}
