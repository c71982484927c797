package org.semanticbm25.opensearch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The zip can be installed: a node accepts its descriptor and jars, and answers with it. */
class PluginZipIT {
  @TempDir Path home;

  @Test
  void nodeLoadsThePluginFromItsFolder() throws Exception {
    Path plugin = home.resolve("plugins/semantic-bm25");
    Files.createDirectories(plugin);
    Files.createDirectories(home.resolve("config"));
    Set<String> shipped = unzip(Path.of(System.getProperty("plugin.zip")), plugin);
    assertTrue(shipped.contains("plugin-descriptor.properties"), shipped::toString);
    assertTrue(shipped.stream().noneMatch(name -> name.startsWith("lucene-")), shipped::toString);
    String output = run(serverClassPath());
    assertTrue(output.contains("ANSWER {\"took\""), output);
    assertTrue(output.contains("\"failed\":0"), output);
    assertTrue(output.contains("\"_id\":\"1\""), output);
    assertTrue(output.contains("semantic-bm25"), output);
  }

  private static Set<String> unzip(Path zip, Path folder) throws Exception {
    Set<String> names = new HashSet<>();
    try (ZipInputStream in = new ZipInputStream(Files.newInputStream(zip))) {
      for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        names.add(entry.getName());
        Files.copy(in, folder.resolve(entry.getName()));
      }
    }
    return names;
  }

  /** What a server has: what the build takes from it, a transport, a logger, and the main class. */
  private String serverClassPath() throws Exception {
    List<String> entries = new ArrayList<>();
    entries.add(Files.readString(Path.of(System.getProperty("server.classpath"))).strip());
    String own =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    for (String entry : own.split(File.pathSeparator)) {
      if (entry.matches(".*[/\\\\][^/\\\\]*(netty|log4j-core)[^/\\\\]*\\.jar")) {
        entries.add(entry);
      }
    }
    Path classes = home.resolve("classes/org/semanticbm25/opensearch");
    Files.createDirectories(classes);
    for (String name : List.of("InstalledPlugin", "InstalledPlugin$InstalledNode")) {
      try (InputStream in = InstalledPlugin.class.getResourceAsStream(name + ".class")) {
        Files.copy(in, classes.resolve(name + ".class"));
      }
    }
    entries.add(home.resolve("classes").toString());
    return String.join(File.pathSeparator, entries);
  }

  private String run(String classPath) throws Exception {
    Path output = home.resolve("output");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx1g",
                "-cp",
                classPath,
                InstalledPlugin.class.getName(),
                home.toString())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    if (!process.waitFor(3, TimeUnit.MINUTES)) {
      process.destroyForcibly().waitFor();
    }
    int exit = process.exitValue();
    String text = Files.readString(output, StandardCharsets.UTF_8);
    assertEquals(0, exit, text);
    return text;
  }
}
