package org.semanticbm25.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TerminalTest {
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

  @Test
  void tellsAgainWhereNobodyWatchesAndAUnitOfWorkTakesLong() throws InterruptedException {
    try (Terminal terminal = new Terminal(false, Duration.ofMillis(10), lines::add)) {
      terminal.report("reading", 1, 10);
      assertEquals("reading: 1 of 10", lines.poll(1, TimeUnit.MINUTES));
      assertEquals("reading: 1 of 10", lines.poll(1, TimeUnit.MINUTES));
      terminal.report("writing", 2, 10);
      String line = lines.poll(1, TimeUnit.MINUTES);
      while ("reading: 1 of 10".equals(line)) {
        line = lines.poll(1, TimeUnit.MINUTES);
      }
      assertEquals("writing: 2 of 10", line);
    }
  }

  @Test
  void saysNothingOfWhatIsDone() throws InterruptedException {
    try (Terminal terminal = new Terminal(false, Duration.ofMillis(10), lines::add)) {
      terminal.report("reading", 10, 10);
      assertNull(lines.poll(200, TimeUnit.MILLISECONDS));
    }
  }
}
