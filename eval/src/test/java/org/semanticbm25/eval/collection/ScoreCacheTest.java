package org.semanticbm25.eval.collection;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScoreCacheTest {
  private static final int RECORD = 24;

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void name() {
    file = folder.resolve("model.scores");
  }

  private ScoreCache open() throws IOException {
    return new ScoreCache(file, 10);
  }

  @Test
  void keepsScoresOfPairs() throws IOException {
    try (ScoreCache cache = open()) {
      assertNull(cache.get("ab", "c"));
      cache.add("ab", List.of("c", ""), 1.5f, -2f);
    }
    try (ScoreCache cache = open()) {
      assertEquals(1.5f, cache.get("ab", "c"));
      assertEquals(-2f, cache.get("ab", ""));
      assertNull(cache.get("a", "bc"), "query and passage are told apart");
      cache.add("a", List.of("bc"), 3f);
    }
    try (ScoreCache cache = open()) {
      assertEquals(1.5f, cache.get("ab", "c"));
      assertEquals(3f, cache.get("a", "bc"));
    }
  }

  /** Whatever was being written when the process was killed. */
  @Test
  void aCutOrDamagedEndIsDropped() throws IOException {
    try (ScoreCache cache = open()) {
      cache.add("q", List.of("one", "two", "three"), 1f, 2f, 3f);
    }
    byte[] whole = Files.readAllBytes(file);
    assertEquals(3 * RECORD, whole.length);
    for (int length = 0; length <= whole.length; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      try (ScoreCache cache = open()) {
        assertEquals(length >= RECORD, cache.get("q", "one") != null);
        assertEquals(length == whole.length, cache.get("q", "three") != null);
        cache.add("q", List.of("four"), 4f);
      }
      try (ScoreCache cache = open()) {
        assertEquals(4f, cache.get("q", "four"));
      }
    }
    byte[] damaged = whole.clone();
    damaged[RECORD + 5] ^= 1;
    Files.write(file, damaged);
    try (ScoreCache cache = open()) {
      assertEquals(1f, cache.get("q", "one"));
      assertNull(cache.get("q", "two"));
    }
    assertEquals(RECORD, Files.size(file));
  }

  @Test
  void theOlderHalfGoesWhenItIsFull() throws IOException {
    try (ScoreCache cache = open()) {
      for (int i = 0; i < 11; i++) {
        cache.add("q", List.of("passage " + i), i);
      }
      assertNull(cache.get("q", "passage 0"));
      assertEquals(10f, cache.get("q", "passage 10"));
      cache.add("q", List.of("last"), 11f);
    }
    assertEquals(7 * RECORD, Files.size(file));
    try (ScoreCache cache = open()) {
      assertNull(cache.get("q", "passage 4"));
      assertEquals(5f, cache.get("q", "passage 5"));
      assertEquals(11f, cache.get("q", "last"));
    }
  }

  @Test
  void oneWritesAndOthersRead() throws IOException {
    try (ScoreCache first = open()) {
      first.add("q", List.of("one"), 1f);
      try (ScoreCache second = open()) {
        assertEquals(1f, second.get("q", "one"));
        second.add("q", List.of("two"), 2f);
        assertEquals(2f, second.get("q", "two"));
      }
      first.add("q", List.of("three"), 3f);
    }
    try (ScoreCache cache = open()) {
      assertNull(cache.get("q", "two"));
      assertNotNull(cache.get("q", "three"));
    }
    assertTrue(Files.size(file) == 2 * RECORD);
  }
}
