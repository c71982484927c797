package org.semanticbm25.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TerminalTest {
  @Test
  void printsALineEveryHalfMinuteWhereNobodyWatches() {
    AtomicLong now = new AtomicLong(-5);
    List<String> lines = new ArrayList<>();
    try (Terminal terminal = new Terminal(false, now::get, lines::add)) {
      for (int second = 1; second <= 90; second++) {
        now.addAndGet(Duration.ofSeconds(1).toNanos());
        terminal.report(second < 60 ? "reading" : "writing", second, 1000);
      }
    }
    assertEquals(
        List.of("reading: 30 of 1000", "writing: 60 of 1000", "writing: 90 of 1000"), lines);
  }
}
