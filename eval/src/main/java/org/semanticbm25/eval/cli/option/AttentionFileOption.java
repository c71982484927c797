package org.semanticbm25.eval.cli.option;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.lucene.store.Directory;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.onnx.attention.AttentionModel;
import picocli.CommandLine.Option;

/** The functions of attention that commands score with. */
public class AttentionFileOption {
  @Option(
      names = "--attention",
      paramLabel = "FILE",
      description =
          "attention model that 'extract --lists' made of --model (default: that of the bundled"
              + " cross-encoder)")
  @Nullable Path file;

  /** Whether a file is given. */
  public boolean hasFile() {
    return file != null;
  }

  /** The functions, for all numbers of layers. */
  public AttentionModel read() throws IOException {
    if (file == null) {
      return AttentionModel.bundled();
    }
    UserFiles.requireFile(file, "make one with 'sbm25 extract --lists'");
    try (Directory directory = UserFiles.folderOf(file)) {
      return AttentionModel.read(directory, UserFiles.name(file));
    }
  }
}
