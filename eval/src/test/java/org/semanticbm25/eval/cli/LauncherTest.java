package org.semanticbm25.eval.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The script {@code sbm25}, with a {@code java} that tells how it was called. */
class LauncherTest {
  private static final Path SCRIPT = Path.of("../sbm25");

  @TempDir Path folder;

  /** A project that is built, and a JDK newer than any. */
  @BeforeEach
  void project() throws IOException {
    assumeTrue(Files.exists(Path.of("/bin/bash")), "no bash");
    for (String module : List.of("eval", "models/english")) {
      Files.createDirectories(folder.resolve(module + "/src/main"));
      Files.createFile(folder.resolve(module + "/pom.xml"));
    }
    Files.createFile(folder.resolve("pom.xml"));
    Path built = Files.createDirectories(folder.resolve("eval/target")).resolve(".built");
    Files.createFile(built);
    Files.setLastModifiedTime(built, FileTime.from(Instant.now().plusSeconds(60)));
    Files.copy(SCRIPT, folder.resolve("sbm25"), StandardCopyOption.COPY_ATTRIBUTES);
    jdk("jdk-99", "99");
    jdk("jdk-17", "17.0.15");
  }

  private void jdk(String name, String version) throws IOException {
    Path home = folder.resolve(name);
    Files.createDirectories(home.resolve("bin"));
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
    for (String command : List.of("java", "javac")) {
      Path file = home.resolve("bin").resolve(command);
      String last = "for last; do :; done; printf '%s %s' \"${LC_ALL:-}\" \"$last\"";
      Files.writeString(file, "#!/bin/bash\n" + last + "\n");
      file.toFile().setExecutable(true);
    }
  }

  private String run(Map<String, String> environment) throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(
            "/bin/bash", "-c", "exec \"$0\" search \"$(printf 'caf\\303\\251')\"", "./sbm25");
    builder.directory(folder.toFile());
    builder.environment().keySet().removeIf(name -> name.startsWith("LC_") || name.equals("LANG"));
    builder.environment().put("JAVA_HOME", folder.resolve("jdk-99").toString());
    builder.environment().putAll(environment);
    Process process = builder.redirectErrorStream(true).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), out);
    return out;
  }

  @ParameterizedTest
  @CsvSource({"C, C.UTF-8", "POSIX, C.UTF-8", "C.UTF-8, C.UTF-8"})
  void argumentsAreReadAsUtf8UnderAnyLocale(String locale, String expected)
      throws IOException, InterruptedException {
    assertEquals(expected + " café", run(Map.of("LC_ALL", locale)));
  }

  @Test
  void argumentsAreReadAsUtf8WithoutALocale() throws IOException, InterruptedException {
    assertEquals("C.UTF-8 café", run(Map.of()));
  }

  @Test
  void newestJdkIsTaken() throws IOException, InterruptedException {
    String path = folder.resolve("jdk-99/bin") + ":" + System.getenv("PATH");
    Map<String, String> old =
        Map.of("JAVA_HOME", folder.resolve("jdk-17").toString(), "PATH", path);
    assertEquals("C.UTF-8 café", run(old));
  }
}
