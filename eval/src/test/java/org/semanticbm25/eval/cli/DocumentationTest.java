package org.semanticbm25.eval.cli;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What README and docs tell a user to type: Java compiles, commands are understood, links lead
 * somewhere.
 */
class DocumentationTest {
  private static final Path ROOT = Path.of("..");
  private static final Pattern BLOCK = Pattern.compile("(?ms)^```(\\w*)\\n(.*?)^```$");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)#]+)\\)");
  private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|(#.*)|(\\S+)");
  private static final List<String> PACKAGES =
      List.of(
          "java.io",
          "java.nio.file",
          "java.time",
          "java.util",
          "java.util.concurrent",
          "org.apache.lucene.analysis",
          "org.apache.lucene.document",
          "org.apache.lucene.index",
          "org.apache.lucene.search",
          "org.apache.lucene.search.similarities",
          "org.apache.lucene.store",
          "org.semanticbm25.english",
          "org.semanticbm25.lucene",
          "org.semanticbm25.onnx",
          "org.semanticbm25.onnx.attention",
          "org.semanticbm25.onnx.context",
          "org.semanticbm25.onnx.crossencoder",
          "org.semanticbm25.onnx.distill",
          "org.semanticbm25.onnx.hub",
          "org.semanticbm25.onnx.runtime",
          "org.semanticbm25.similarity.field",
          "org.semanticbm25.similarity.model",
          "org.semanticbm25.similarity.search");

  @TempDir Path folder;

  static Stream<Path> documents() throws IOException {
    try (Stream<Path> docs = Files.list(ROOT.resolve("docs"))) {
      List<Path> all =
          new ArrayList<>(List.of(ROOT.resolve("README.md"), ROOT.resolve("CONTRIBUTING.md")));
      docs.filter(file -> file.toString().endsWith(".md")).sorted().forEach(all::add);
      return all.stream();
    }
  }

  private static List<String> blocks(Path document, String language) throws IOException {
    List<String> found = new ArrayList<>();
    Matcher blocks = BLOCK.matcher(Files.readString(document));
    while (blocks.find()) {
      if (blocks.group(1).equals(language)) {
        found.add(blocks.group(2));
      }
    }
    return found;
  }

  @ParameterizedTest
  @MethodSource("documents")
  void javaCompiles(Path document) throws IOException {
    for (String block : blocks(document, "java")) {
      compile(block);
    }
  }

  /** The statements as the body of {@code Example.run}, compiled to the folder. */
  private void compile(String statements) throws IOException {
    StringBuilder source = new StringBuilder();
    PACKAGES.forEach(name -> source.append("import ").append(name).append(".*;\n"));
    source
        .append("public class Example {\n public static void run(Path folder, Path cacheFolder,")
        .append(" Directory directory, IndexSearcher searcher, DirectoryReader reader,")
        .append(" IndexWriter writer, org.apache.lucene.analysis.Analyzer analyzer, String text)")
        .append(" throws Exception {\n")
        .append(statements)
        .append("}\n}\n");
    StringWriter errors = new StringWriter();
    JavaFileObject file =
        new SimpleJavaFileObject(URI.create("string:///Example.java"), JavaFileObject.Kind.SOURCE) {
          @Override
          public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return source;
          }
        };
    List<String> options =
        List.of(
            "-d", folder.toString(), "-proc:none", "-cp", System.getProperty("java.class.path"));
    boolean compiled =
        ToolProvider.getSystemJavaCompiler()
            .getTask(errors, null, null, options, null, List.of(file))
            .call();
    assertTrue(compiled, () -> statements + "\n" + errors);
  }

  @Test
  void theReadmesDropInRuns() throws Exception {
    List<String> blocks = blocks(ROOT.resolve("README.md"), "java");
    assertEquals(1, blocks.size());
    compile(
        blocks.getFirst()
            + "if (hits.totalHits.value() != 1) throw new AssertionError(hits.totalHits);\n");
    Analyzer analyzer = new EnglishAnalyzer();
    try (Directory directory = FSDirectory.open(folder.resolve("index"))) {
      try (IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig(analyzer))) {
        Document document = new Document();
        document.add(new TextField("body", "an inexpensive computer", Field.Store.NO));
        writer.addDocument(document);
      }
      try (DirectoryReader reader = DirectoryReader.open(directory);
          URLClassLoader loader =
              new URLClassLoader(new URL[] {folder.toUri().toURL()}, getClass().getClassLoader())) {
        Method run = loader.loadClass("Example").getMethods()[0];
        run.invoke(
            null,
            folder,
            folder,
            directory,
            new IndexSearcher(reader),
            reader,
            null,
            analyzer,
            "text");
      }
    }
  }

  @ParameterizedTest
  @MethodSource("documents")
  void commandsAreUnderstood(Path document) throws IOException {
    List<String> shell = new ArrayList<>(blocks(document, "sh"));
    shell.addAll(blocks(document, ""));
    for (String block : shell) {
      for (String line : block.replace("\\\n", " ").lines().toList()) {
        List<String> words = words(line);
        if (!words.isEmpty() && words.getFirst().equals("./sbm25")) {
          String[] arguments = words.subList(1, words.size()).toArray(String[]::new);
          assertDoesNotThrow(() -> Main.commandLine().parseArgs(arguments), document + ": " + line);
        }
      }
    }
  }

  private static List<String> words(String line) {
    List<String> words = new ArrayList<>();
    Matcher matcher = WORD.matcher(line);
    while (matcher.find()) {
      if (matcher.group(1) != null) {
        words.add(matcher.group(1));
      } else if (matcher.group(3) != null) {
        words.add(matcher.group(3));
      }
    }
    return words;
  }

  @ParameterizedTest
  @MethodSource("documents")
  void linksLeadSomewhere(Path document) throws IOException {
    Matcher links = LINK.matcher(Files.readString(document));
    while (links.find()) {
      if (!links.group(1).contains(":")) {
        assertTrue(
            Files.exists(document.resolveSibling(links.group(1))),
            document + ": " + links.group(1));
      }
    }
  }
}
