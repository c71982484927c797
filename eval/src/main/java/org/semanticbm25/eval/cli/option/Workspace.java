package org.semanticbm25.eval.cli.option;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.ForkJoinPool;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.store.Directory;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.english.EnglishModel;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.collection.CollectionIndexes;
import org.semanticbm25.lucene.Attacher;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.runtime.TermEncoder;
import org.semanticbm25.similarity.field.AttachedTerms;
import org.semanticbm25.similarity.model.SemanticBM25Model;
import picocli.CommandLine.Option;

/**
 * The model that commands work with, and the folder for what they make by themselves, such as the
 * indexes of {@code eval}, {@code tune} and {@code demo}.
 */
public final class Workspace extends HomeOption {
  @Option(
      names = "--extracted",
      paramLabel = "FILE",
      description = "model file made by 'extract' (default: the English model that comes along)")
  @Nullable Path modelFile;

  // read once a command
  private @Nullable SemanticBM25Model model;

  /** The file of {@code --extracted}; null for the English model. */
  public @Nullable Path modelFile() {
    return modelFile;
  }

  /** The model of {@code --extracted}, or the English one. */
  public SemanticBM25Model model() throws IOException {
    if (model == null) {
      model = modelFile != null ? readModel(modelFile) : EnglishModel.load();
    }
    return model;
  }

  /** The indexes that commands make by themselves. */
  public CollectionIndexes indexes() {
    return new CollectionIndexes(home.resolve("indexes"));
  }

  /** Writes a model file, whole or not at all. */
  public static void write(SemanticBM25Model model, Path file) throws IOException {
    try (Directory directory = UserFiles.folderOf(file)) {
      model.write(directory, UserFiles.name(file));
    }
  }

  private static SemanticBM25Model readModel(Path file) throws IOException {
    UserFiles.requireFile(file, "make one with 'sbm25 extract'");
    try (Directory directory = UserFiles.folderOf(file)) {
      return SemanticBM25Model.read(directory, UserFiles.name(file));
    }
  }

  /**
   * Encodes the rare words of a field and writes them to a file.
   *
   * @param encoderFolder of the ONNX model that the model file was extracted from; null for the
   *     bundled cross-encoder
   * @param leastDocuments that a term stands in
   */
  public AttachedTerms attach(
      @Nullable Path encoderFolder,
      DirectoryReader reader,
      String field,
      Analyzer analyzer,
      int leastDocuments,
      Path file)
      throws IOException {
    NeuralModel source =
        encoderFolder != null
            ? NeuralModel.at(encoderFolder)
            : NeuralModel.bundled(home.resolve("models"));
    try (Directory directory = UserFiles.folderOf(file);
        TermEncoder encoder = new TermEncoder(source, model().layer(), ForkJoinPool.commonPool());
        Terminal progress = new Terminal()) {
      AttachedTerms attached =
          new Attacher(model(), encoder, progress).attach(reader, field, analyzer, leastDocuments);
      attached.write(directory, UserFiles.name(file));
      return attached;
    }
  }
}
