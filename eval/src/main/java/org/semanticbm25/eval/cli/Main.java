package org.semanticbm25.eval.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Locale;
import java.util.Objects;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.lucene.search.IndexSearcher;
import org.semanticbm25.eval.cli.command.AttachCommand;
import org.semanticbm25.eval.cli.command.AuditCommand;
import org.semanticbm25.eval.cli.command.CompareCommand;
import org.semanticbm25.eval.cli.command.EditCommand;
import org.semanticbm25.eval.cli.command.EnrichCommand;
import org.semanticbm25.eval.cli.command.EvalCommand;
import org.semanticbm25.eval.cli.command.ExtractCommand;
import org.semanticbm25.eval.cli.command.FitCommand;
import org.semanticbm25.eval.cli.command.IndexCommand;
import org.semanticbm25.eval.cli.command.LatencyCommand;
import org.semanticbm25.eval.cli.command.ModelCommand;
import org.semanticbm25.eval.cli.command.SearchCommand;
import org.semanticbm25.eval.cli.command.ServeCommand;
import org.semanticbm25.eval.cli.command.StudyCommand;
import org.semanticbm25.eval.cli.command.TuneCommand;
import org.semanticbm25.eval.cli.demo.DemoCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The {@code sbm25} command line. Exit codes: 0 done, 1 could not be done, 2 wrong usage. */
@Command(
    name = "sbm25",
    mixinStandardHelpOptions = true,
    version = "Semantic BM25 0.1.0",
    description = {
      "Semantic BM25: the BM25 that a cross-encoder computes, inside a Lucene index.",
      "Start with 'sbm25 demo'. 'sbm25 help COMMAND' describes a command.%n"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "1:could not be done; the message says why", "2:wrong usage"},
    subcommands = {
      DemoCommand.class,
      ExtractCommand.class,
      IndexCommand.class,
      AttachCommand.class,
      EnrichCommand.class,
      SearchCommand.class,
      EvalCommand.class,
      CompareCommand.class,
      ServeCommand.class,
      TuneCommand.class,
      FitCommand.class,
      EditCommand.class,
      AuditCommand.class,
      StudyCommand.class,
      LatencyCommand.class,
      ModelCommand.class,
      CommandLine.HelpCommand.class
    })
public final class Main {
  // JUL forgets loggers that nobody holds
  private static final Logger LUCENE_LOG = Logger.getLogger("org.apache.lucene");

  @Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "print the stack trace of an error")
  boolean verbose;

  private Main() {}

  /** Runs a command and exits with its code. */
  public static void main(String[] args) {
    System.exit(run(args));
  }

  static int run(String... args) {
    LUCENE_LOG.setLevel(Level.SEVERE);
    Locale.setDefault(Locale.ROOT);
    // a query may be a whole page
    IndexSearcher.setMaxClauseCount(Integer.MAX_VALUE);
    return commandLine().execute(args);
  }

  static CommandLine commandLine() {
    Main main = new Main();
    CommandLine whole = new CommandLine(main);
    addHelp(whole);
    return whole
        .setExecutionExceptionHandler(
            (e, commandLine, parsed) -> {
              commandLine.getErr().println("sbm25: " + message(e));
              if (main.verbose) {
                e.printStackTrace(commandLine.getErr());
              }
              return CommandLine.ExitCode.SOFTWARE;
            })
        .setCaseInsensitiveEnumValuesAllowed(true);
  }

  /** Gives every command, and every command of it, {@code --help}. */
  private static void addHelp(CommandLine commandLine) {
    for (CommandLine command : commandLine.getSubcommands().values()) {
      if (!(command.getCommand() instanceof CommandLine.HelpCommand)) {
        command.getCommandSpec().mixinStandardHelpOptions(true);
        addHelp(command);
      }
    }
  }

  /** One line that says what is wrong, also for exceptions whose message is only a path. */
  private static String message(Exception e) {
    String text =
        switch (e) {
          case AccessDeniedException denied -> denied.getFile() + ": permission denied";
          case NoSuchFileException missing
              when Objects.equals(missing.getMessage(), missing.getFile()) ->
              missing.getFile() + ": no such file";
          case FileSystemException broken when broken.getReason() == null ->
              broken.getMessage()
                  + ": cannot be written or read ("
                  + broken.getClass().getSimpleName()
                  + ")";
          case IOException io when io.getMessage() != null -> io.getMessage();
          case UncheckedIOException unchecked ->
              message(Objects.requireNonNull(unchecked.getCause()));
          case IllegalArgumentException illegal when illegal.getMessage() != null ->
              illegal.getMessage();
          default -> e + "; run again with --verbose, and report it";
        };
    return text.lines().findFirst().orElse(text);
  }
}
