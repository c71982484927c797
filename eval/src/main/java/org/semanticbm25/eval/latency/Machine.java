package org.semanticbm25.eval.latency;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;

/** What times are measured on. */
public final class Machine {
  private static final Path PROCESSORS = Path.of("/proc/cpuinfo");
  private static final String MODEL = "model name";

  private Machine() {}

  /** Processor, cores, heap and virtual machine, by name. */
  public static Map<String, Object> describe() {
    Runtime runtime = Runtime.getRuntime();
    Map<String, Object> machine = new LinkedHashMap<>();
    machine.put("processor", processor());
    machine.put("cores", runtime.availableProcessors());
    machine.put("heap, MB", runtime.maxMemory() >> 20);
    machine.put(
        "virtual machine",
        System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
    machine.put("vector module", ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent());
    return machine;
  }

  /** As the system names it; by its architecture where that does not tell. */
  private static String processor() {
    try (Stream<String> lines = Files.lines(PROCESSORS, StandardCharsets.UTF_8)) {
      return lines
          .filter(line -> line.startsWith(MODEL))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(System.getProperty("os.arch"));
    } catch (IOException e) {
      return System.getProperty("os.arch");
    }
  }
}
