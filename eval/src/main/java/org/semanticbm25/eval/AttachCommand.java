package org.semanticbm25.eval;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.apache.lucene.index.DirectoryReader;
import org.semanticbm25.lucene.AttachedField;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sbm25 attach}. */
@Command(
    name = "attach",
    sortOptions = false,
    description = {
      "Attach the model to a field of an existing Lucene index.",
      "Reads the index, changes nothing in it, and writes a side file that 'search' needs.%n"
    })
final class AttachCommand implements Callable<Integer> {
  @Parameters(paramLabel = "INDEX", description = "a folder with a Lucene index")
  Path index;

  @Option(
      names = "--field",
      paramLabel = "NAME",
      defaultValue = TextIndex.CONTENTS,
      description = "an indexed text field (default: ${DEFAULT-VALUE})")
  String field;

  @Mixin Analyzers analyzers;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "the side file (default: INDEX.FIELD.side, next to the index)")
  Path output;

  @Mixin Workspace workspace;

  @Override
  public Integer call() throws IOException {
    Path side = output != null ? output : Workspace.sideFile(index, field);
    try (DirectoryReader reader = Workspace.openIndex(index)) {
      AttachedField attached = workspace.attach(reader, field, analyzers.get(), side);
      Terminal.say(
          "wrote %s: %d terms of field '%s', model %s",
          side,
          attached.size(),
          field,
          attached.modelId());
    }
    return 0;
  }
}
