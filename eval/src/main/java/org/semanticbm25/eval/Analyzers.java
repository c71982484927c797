package org.semanticbm25.eval;

import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.core.SimpleAnalyzer;
import org.apache.lucene.analysis.core.WhitespaceAnalyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.standard.StandardAnalyzer;
import picocli.CommandLine.Option;

/** The {@code --analyzer} option. */
final class Analyzers {
  @Option(
      names = "--analyzer",
      paramLabel = "NAME",
      defaultValue = "english",
      description =
          "english, standard, simple, whitespace, or the name of an Analyzer class with a public"
              + " constructor without arguments (default: english)")
  String name;

  Analyzer get() throws UserException {
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
