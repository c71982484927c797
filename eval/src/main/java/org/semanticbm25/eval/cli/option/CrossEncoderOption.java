package org.semanticbm25.eval.cli.option;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;
import org.apache.lucene.util.IOUtils;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.collection.CachedCrossEncoder;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.hub.NeuralModel;
import picocli.CommandLine.Option;

/** The cross-encoder that commands rerank with. */
public final class CrossEncoderOption {
  @Option(
      names = "--model",
      paramLabel = "DIR",
      description =
          "folder with model.onnx (or onnx/model.onnx) and tokenizer.json of a cross-encoder, or"
              + " the ONNX file (default: the bundled cross-encoder)")
  @Nullable Path folder;

  /** Whether it is another than the bundled one. */
  public boolean isGiven() {
    return folder != null;
  }

  /** Its folder, unless it is the bundled one. */
  public Optional<Path> folder() {
    return Optional.ofNullable(folder);
  }

  /**
   * Opens it.
   *
   * @param home where the bundled one is unpacked
   */
  public CrossEncoder open(Path home) throws IOException {
    return CrossEncoder.builder(model(home)).open();
  }

  /**
   * Opens it with the scores that commands gave before.
   *
   * @param home where the scores are, and the bundled one is unpacked
   */
  public CachedCrossEncoder openCached(Path home) throws IOException {
    CrossEncoder encoder = open(home);
    try {
      return new CachedCrossEncoder(encoder, home.resolve("scores"));
    } catch (IOException | RuntimeException e) {
      IOUtils.closeWhileHandlingException(encoder);
      throw e;
    }
  }

  /** Says how many queries are longer than what it reads. */
  public static void tellCut(CrossEncoder encoder, Collection<String> queries) {
    long many = queries.stream().filter(query -> encoder.read(query, "").queryCut() > 0).count();
    if (many > 0) {
      Terminal.say(
          "queries of which the cross-encoder reads only the beginning: %d of %d",
          many, queries.size());
    }
  }

  /** Its files. */
  public NeuralModel model(Path home) throws IOException {
    return folder != null ? NeuralModel.at(folder) : NeuralModel.bundled(home.resolve("models"));
  }
}
