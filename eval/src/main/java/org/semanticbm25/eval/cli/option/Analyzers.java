package org.semanticbm25.eval.cli.option;

import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.core.SimpleAnalyzer;
import org.apache.lucene.analysis.core.WhitespaceAnalyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.standard.StandardAnalyzer;
import org.semanticbm25.eval.UserException;
import picocli.CommandLine.Option;

/** The {@code --analyzer} option. */
public final class Analyzers {
  @Option(
      names = "--analyzer",
      paramLabel = "NAME",
      defaultValue = "english",
      description =
          "english, standard, simple, whitespace, or the name of an Analyzer class with a public"
              + " constructor without arguments (default: english)")
  public String name;

  public Analyzer get() throws UserException {
    return switch (name) {
      case "english" -> new EnglishAnalyzer();
      case "standard" -> new StandardAnalyzer();
      case "simple" -> new SimpleAnalyzer();
      case "whitespace" -> new WhitespaceAnalyzer();
      default -> byClass();
    };
  }

  private Analyzer byClass() throws UserException {
    try {
      return Class.forName(name).asSubclass(Analyzer.class).getConstructor().newInstance();
    } catch (ReflectiveOperationException | ClassCastException e) {
      throw new UserException(
          "--analyzer "
              + name
              + ": no such analyzer; give english, standard, simple, whitespace or a class name",
          e);
    }
  }
}
