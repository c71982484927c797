package org.semanticbm25.eval.cli.option;

import org.semanticbm25.eval.measure.Report;
import picocli.CommandLine.Option;

/** The {@code --format} option. */
public final class FormatOption {
  @Option(
      names = "--format",
      paramLabel = "NAME",
      defaultValue = "table",
      description = "table, or json: one object on standard output (default: table)")
  public Report.Format value;
}
