package org.semanticbm25.eval;

import picocli.CommandLine.Option;

/** The {@code --format} option. */
final class FormatOption {
  @Option(
      names = "--format",
      paramLabel = "NAME",
      defaultValue = "table",
      description = "table, or json: one object on standard output (default: table)")
  Report.Format value;
}
