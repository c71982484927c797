package org.semanticbm25.eval.cli.option;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.semanticbm25.eval.collection.TextFile;
import org.semanticbm25.similarity.field.ContextualField;
import org.semanticbm25.similarity.field.SemanticField;
import org.semanticbm25.similarity.model.Profile;
import picocli.CommandLine.Option;

/** How much words count for whoever asks. */
public final class ProfileOption {
  @Option(
      names = "--profile",
      paramLabel = "FILE",
      description =
          "lines 'word=factor' that raise words of a query, lower them or, with 0, block them;"
              + " several files multiply")
  List<Path> files = new ArrayList<>();

  /** Added to the name of a system that has the profiles. */
  public static final String SUFFIX = "-profile";

  /** The files, in the order in which they were given. */
  public List<Path> files() {
    return files;
  }

  /** A field with the profiles. */
  public SemanticField on(SemanticField field) throws IOException {
    SemanticField profiled = field;
    for (Path file : files) {
      profiled = profiled.withProfile(read(file));
    }
    return profiled;
  }

  /** A field with the profiles. */
  public ContextualField on(ContextualField field) throws IOException {
    ContextualField profiled = field;
    for (Path file : files) {
      profiled = profiled.withProfile(read(file));
    }
    return profiled;
  }

  private static Profile read(Path file) throws IOException {
    return Profile.parse(file.toString(), TextFile.read(file));
  }
}
