package org.semanticbm25.eval.cli.option;

import org.apache.lucene.analysis.Analyzer;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.collection.TextIndex;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A field of an index and its analyzer. */
public class IndexedFieldOption {
  @Option(
      names = "--field",
      paramLabel = "NAME",
      defaultValue = TextIndex.CONTENTS,
      description = "an indexed text field (default: ${DEFAULT-VALUE})")
  public String name;

  @Mixin Analyzers analyzers;

  /** The analyzer of the field. */
  public Analyzer analyzer() throws UserException {
    return analyzers.get();
  }
}
