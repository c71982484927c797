package org.semanticbm25.eval.cli.option;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The folder for what commands make by themselves. */
public class HomeOption {
  @Option(
      names = "--home",
      paramLabel = "DIR",
      defaultValue = "${env:SBM25_HOME:-${sys:user.home}/.sbm25}",
      description =
          "folder for the unpacked models and for indexes that commands make by themselves"
              + " (default: $SBM25_HOME, else ~/.sbm25)")
  public Path home;
}
