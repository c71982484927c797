package org.semanticbm25.eval.cli.command;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.apache.lucene.index.DirectoryReader;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.cli.option.FieldOption;
import org.semanticbm25.eval.cli.option.IndexedFieldOption;
import org.semanticbm25.eval.cli.option.Workspace;
import org.semanticbm25.eval.collection.CollectionIndexes;
import org.semanticbm25.similarity.field.AttachedTerms;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sbm25 attach}. */
@Command(
    name = "attach",
    sortOptions = false,
    description = {
      "Give the rare words of an existing Lucene index vectors of their own.",
      "A search works without: it knows the common words of English. Reads the index, changes"
          + " nothing in it, and writes a file that 'search' picks up.%n"
    })
public final class AttachCommand implements Callable<Integer> {
  @Parameters(paramLabel = "INDEX", description = "a folder with a Lucene index")
  Path index;

  @Mixin IndexedFieldOption field;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "the file to write (default: INDEX.FIELD.attached, next to the index)")
  @Nullable Path output;

  @Option(
      names = "--least-documents",
      paramLabel = "N",
      defaultValue = "1",
      description = "leave out terms that stand in fewer documents (default: 1)")
  int leastDocuments;

  @Option(
      names = "--encoder",
      paramLabel = "DIR",
      description =
          "folder of the ONNX model that --extracted comes from (default: the bundled"
              + " cross-encoder)")
  @Nullable Path encoder;

  @Mixin Workspace workspace;

  @Override
  public Integer call() throws IOException {
    Path file = output != null ? output : FieldOption.attachedFile(index, field.name);
    try (DirectoryReader reader = CollectionIndexes.openIndex(index)) {
      AttachedTerms attached =
          workspace.attach(encoder, reader, field.name, field.analyzer(), leastDocuments, file);
      Terminal.say(
          "wrote %s: %d of %d terms of field '%s', those that the model does not know",
          file, attached.size(), attached.origin().indexTerms(), field.name);
    }
    return 0;
  }
}
