package org.semanticbm25.eval.cli.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.eval.collection.Dataset;
import org.semanticbm25.eval.collection.Passage;

class JavadocCorpusTest {
  private static final String SOURCE =
      """
      package p;
      /** Writes an {@link Index#make index}.<p>Costs &lt; {@code 1} ms. */
      public class FastWriter<T> {
        /** Opens it. @param path where */
        public FastWriter(java.util.List<String> path, int... n) {}
        /** Hidden. */ private void hide() {}
        public void undocumented() {}
        /** Inner things. */ protected static final class Inner {
          /** Goes on.
           * @return whether {@linkplain Inner it} did */
          public boolean run() { return true; }
        }
      }
      /** Not API. */ class Internal { /** Nor this. */ public void f() {} }
      """;

  @TempDir Path folder;

  @Test
  void passagesAreWhatAUserCanSee() throws IOException {
    Path jar = folder.resolve("p-sources.jar");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      out.putNextEntry(new JarEntry("p/FastWriter.java"));
      out.write(SOURCE.getBytes(StandardCharsets.UTF_8));
      out.putNextEntry(new JarEntry("p/package-info.java"));
      out.write("/** A package. */ package p;".getBytes(StandardCharsets.UTF_8));
    }
    List<Passage> passages = JavadocCorpus.read(jar);
    assertEquals(
        List.of(
            "p.FastWriter",
            "p.FastWriter#FastWriter(java.util.List,int[])",
            "p.FastWriter.Inner",
            "p.FastWriter.Inner#run()"),
        passages.stream().map(Passage::id).toList());
    assertEquals("FastWriter Fast Writer", passages.get(0).title());
    assertEquals("Writes an index. Costs < 1 ms.", passages.get(0).text());
    assertTrue(passages.get(3).text().endsWith("whether it did"), passages.get(3).text());
  }

  /** The demo's judgements must be of passages that exist. */
  @Test
  void demoJudgementsFitTheCorpus() throws IOException {
    Path qrels = folder.resolve("qrels.tsv");
    try (var in = DemoCommand.class.getResourceAsStream("qrels.tsv")) {
      Files.copy(in, qrels);
    }
    var judged = Dataset.readQrels(qrels);
    assertEquals(104, judged.size());
    var ids =
        JavadocCorpus.read(DemoCommand.sourcesJar()).stream()
            .map(Passage::id)
            .collect(Collectors.toSet());
    judged.forEach(
        (query, grades) -> {
          assertTrue(ids.containsAll(grades.keySet()), query + " has unknown passages");
          assertTrue(grades.size() >= 10, query + " has few judgements");
        });
    long answered = judged.values().stream().filter(grades -> grades.containsValue(3)).count();
    long helped = judged.values().stream().filter(g -> Collections.max(g.values()) > 0).count();
    assertEquals(85, answered, "questions with an answer among the hits of any system");
    assertEquals(103, helped);
  }
}
