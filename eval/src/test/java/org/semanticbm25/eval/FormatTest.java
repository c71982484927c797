package org.semanticbm25.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import com.google.googlejavaformat.java.ImportOrderer;
import com.google.googlejavaformat.java.JavaFormatterOptions;
import com.google.googlejavaformat.java.RemoveUnusedImports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * All Java sources are formatted by google-java-format. To format them:
 *
 * <pre>./mvnw -q test -pl eval -am -Djacoco.skip -Dtest=FormatTest -Dformat=write
 *     -Dsurefire.failIfNoSpecifiedTests=false</pre>
 */
class FormatTest {
  private static final Path ROOT = Path.of("..");
  private static final Pattern NUMBER_FORMAT = Pattern.compile("%[-+0-9.,]*[dfeg]\\b");

  @Test
  void sourcesAreFormatted() throws IOException, FormatterException {
    boolean write = "write".equals(System.getProperty("format"));
    List<Path> unformatted = new ArrayList<>();
    for (Path file : sources()) {
      String source = Files.readString(file);
      String formatted = format(source);
      if (!source.equals(formatted)) {
        unformatted.add(file);
        if (write) {
          Files.writeString(file, formatted);
        }
      }
    }
    assertEquals(List.of(), write ? List.of() : unformatted);
  }

  /** A default locale may have other digits and another decimal point. */
  @Test
  void librariesWriteNumbersAlikeInEveryLocale() throws IOException {
    List<String> found = new ArrayList<>();
    for (Path file : sources()) {
      String name = ROOT.relativize(file).toString();
      if (name.contains("src/main/") && !name.matches("(eval|examples)/.*")) {
        List<String> lines = Files.readAllLines(file);
        for (int i = 0; i < lines.size(); i++) {
          String before = String.join("", lines.subList(Math.max(0, i - 3), i + 1));
          if (NUMBER_FORMAT.matcher(lines.get(i)).find() && !before.contains("Locale.ROOT")) {
            found.add(name + ":" + (i + 1));
          }
        }
      }
    }
    assertEquals(List.of(), found);
  }

  private static List<Path> sources() throws IOException {
    try (Stream<Path> files = Files.walk(ROOT)) {
      return files
          .filter(file -> file.toString().endsWith(".java"))
          .filter(file -> !file.toString().contains("/target/"))
          .sorted()
          .toList();
    }
  }

  private static String format(String source) throws FormatterException {
    String imports = ImportOrderer.reorderImports(source, JavaFormatterOptions.Style.GOOGLE);
    return new Formatter().formatSource(RemoveUnusedImports.removeUnusedImports(imports));
  }
}
