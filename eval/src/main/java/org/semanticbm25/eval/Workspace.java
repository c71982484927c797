package org.semanticbm25.eval;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexNotFoundException;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.NIOFSDirectory;
import org.semanticbm25.lucene.AttachedField;
import org.semanticbm25.lucene.Attacher;
import org.semanticbm25.lucene.SemanticBM25;
import org.semanticbm25.onnx.Extractor;
import org.semanticbm25.onnx.NeuralModel;
import org.semanticbm25.onnx.TermEncoder;
import org.semanticbm25.similarity.SemanticBM25Model;
import picocli.CommandLine.Option;

/**
 * The model that commands work with, and the folder for what they make by themselves, such as the
 * indexes of {@code eval}, {@code tune} and {@code demo}.
 */
final class Workspace {
  @Option(
      names = "--home",
      paramLabel = "DIR",
      defaultValue = "${env:SBM25_HOME:-${sys:user.home}/.sbm25}",
      description =
          "folder for the unpacked cross-encoder and for indexes that commands make by themselves"
              + " (default: $SBM25_HOME, else ~/.sbm25)")
  Path home;

  @Option(
      names = "--extracted",
      paramLabel = "FILE",
      description =
          "model file made by 'extract' (default: the one extracted from the bundled"
              + " cross-encoder)")
  Path modelFile;

  @Option(
      names = "--encoder",
      paramLabel = "DIR",
      description =
          "folder of the ONNX model that --extracted comes from (default: the bundled cross-encoder)")
  Path encoderFolder;

  // read once a command
  private SemanticBM25Model model;

  /** The ONNX model to encode terms with. */
  NeuralModel encoder() throws IOException {
    return encoderFolder != null
        ? NeuralModel.at(encoderFolder)
        : NeuralModel.bundled(home.resolve("models"));
  }

  /** The model of {@code --extracted}, or the one that comes along. */
  SemanticBM25Model model() throws IOException {
    if (model == null) {
      model = modelFile != null ? readModel(modelFile) : Extractor.bundled();
    }
    return model;
  }

  /** Writes a model file, whole or not at all. */
  static void write(SemanticBM25Model model, Path file) throws IOException {
    try (Directory directory = folderOf(file)) {
      model.write(directory, name(file));
    }
  }

  private static SemanticBM25Model readModel(Path file) throws IOException {
    requireFile(file, "make one with 'sbm25 extract'");
    try (Directory directory = folderOf(file)) {
      return SemanticBM25Model.read(directory, name(file));
    }
  }

  /** Opens a side file with the model that it was made with. */
  SemanticBM25 open(Path sideFile, Analyzer analyzer) throws IOException {
    requireFile(sideFile, "make one with 'sbm25 attach'");
    try (Directory directory = folderOf(sideFile)) {
      AttachedField attached = AttachedField.read(directory, name(sideFile));
      if (!attached.modelId().equals(model().id())) {
        throw new UserException(
            "%s: was attached with model %s, not with %s; attach again, or give its --extracted"
                .formatted(sideFile, attached.modelId(), model().id()));
      }
      return new SemanticBM25(model(), attached, analyzer);
    }
  }

  /** Attaches the model to a field of an index and writes the side file. */
  AttachedField attach(DirectoryReader reader, String field, Analyzer analyzer, Path sideFile)
      throws IOException {
    NeuralModel encoderModel = encoder();
    if (!encoderModel.sha256().equals(model().provenance().sourceSha256())) {
      throw new UserException(
          "%s: is not the ONNX model that the model file was extracted from (%s); give that as --encoder"
              .formatted(encoderModel.onnx(), model().provenance().source()));
    }
    try (Directory directory = folderOf(sideFile);
        TermEncoder encoder = new TermEncoder(encoderModel, model().layer());
        Terminal progress = new Terminal()) {
      AttachedField attached = new Attacher(model(), encoder, progress).attach(reader, field, analyzer);
      attached.write(directory, name(sideFile));
      return attached;
    }
  }

  /** An index with a side file, both made at the first use and kept under the home folder. */
  record Prepared(Path index, DirectoryReader reader, SemanticBM25 semantic)
      implements AutoCloseable {
    @Override
    public void close() throws IOException {
      Directory directory = reader.directory();
      reader.close();
      directory.close();
    }
  }

  /**
   * Indexes and attaches a collection, or takes what an earlier call made of the same.
   *
   * @param fingerprint of the content that is indexed
   */
  Prepared prepare(String name, String fingerprint, Analyzer analyzer, TextIndex.Source source)
      throws IOException {
    Path index = index(name, fingerprint, analyzer, source);
    DirectoryReader reader = openIndex(index);
    try {
      Path side = index.resolveSibling(index.getFileName() + "." + model().id() + ".side");
      if (!Files.exists(side)) {
        Terminal.say("attaching the model to %s", index);
        attach(reader, TextIndex.CONTENTS, analyzer, side);
      }
      return new Prepared(index, reader, open(side, analyzer));
    } catch (Throwable t) {
      reader.close();
      throw t;
    }
  }

  /**
   * Indexes a collection, or finds the index that an earlier call made of the same.
   *
   * @param fingerprint of the content that is indexed
   */
  Path index(String name, String fingerprint, Analyzer analyzer, TextIndex.Source source)
      throws IOException {
    Path index = home.resolve("indexes").resolve(name + "-" + fingerprint.substring(0, 12));
    if (!Files.exists(index)) {
      Terminal.say("indexing %s to %s", name, index);
      TextIndex.create(index, analyzer, source);
    }
    return index;
  }

  /** Opens an index for reading only. */
  static DirectoryReader openIndex(Path index) throws IOException {
    if (!Files.isDirectory(index)) {
      throw new UserException(index + ": no such folder; make an index with 'sbm25 index'");
    }
    Directory directory = FSDirectory.open(index);
    try {
      return DirectoryReader.open(directory);
    } catch (IndexNotFoundException e) {
      directory.close();
      throw new UserException(index + ": no Lucene index there; make one with 'sbm25 index'", e);
    } catch (CorruptIndexException e) {
      directory.close();
      throw new UserException(index + ": the index is damaged; make it anew", e);
    }
  }

  /** The side file's place unless the user names another: next to the index, not in it. */
  static Path sideFile(Path index, String field) {
    Path absolute = index.toAbsolutePath().normalize();
    return absolute.resolveSibling(absolute.getFileName() + "." + field + ".side");
  }

  /** Opening a folder through Lucene would create it. */
  static void requireFile(Path file, String remedy) throws UserException {
    if (!Files.isRegularFile(file)) {
      throw new UserException(file + ": no such file; " + remedy);
    }
  }

  static Directory folderOf(Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw new UserException(folder + ": is not a folder; give another place");
    }
    return new NIOFSDirectory(folder);
  }

  static String name(Path file) {
    return file.getFileName().toString();
  }
}
