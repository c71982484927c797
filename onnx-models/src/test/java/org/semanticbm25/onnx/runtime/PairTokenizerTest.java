package org.semanticbm25.onnx.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.onnx.testing.RandomText;
import org.semanticbm25.onnx.testing.TinyModel;

class PairTokenizerTest {
  @TempDir Path folder;

  /** One that asks for padding and truncation to 128, which must not happen. */
  private Path tokenizer() throws IOException {
    Path file = folder.resolve("tokenizer.json");
    try (InputStream in =
        PairTokenizerTest.class.getResourceAsStream("/all-minilm-l6-v2-tokenizer.json")) {
      Files.copy(in, file);
    }
    return file;
  }

  @Test
  void equalsThePairEncodingOfTheTokenizer() throws IOException {
    Path file = tokenizer();
    Random random = new Random(11);
    try (PairTokenizer tokenizer = new PairTokenizer(file);
        HuggingFaceTokenizer own = Tokenizers.open(file)) {
      for (int i = 0; i < 1_000; i++) {
        String query = RandomText.odd(random, random.nextInt(8));
        String passage = RandomText.odd(random, random.nextInt(60));
        Encoding pair = own.encode(query, passage);
        int[] q = tokenizer.encode(query);
        int[] p = tokenizer.encode(passage);
        IntStream ids =
            IntStream.concat(
                IntStream.concat(IntStream.of(tokenizer.first()), Arrays.stream(q)),
                IntStream.concat(
                    IntStream.concat(IntStream.of(tokenizer.separator()), Arrays.stream(p)),
                    IntStream.of(tokenizer.separator())));
        assertArrayEquals(pair.getIds(), ids.asLongStream().toArray(), query + " | " + passage);
        long[] types = pair.getTypeIds();
        for (int t = 0; t < types.length; t++) {
          assertTrue((types[t] == 1) == (t >= q.length + 2), query + " | " + passage);
        }
      }
    }
  }

  @Test
  void readsNoMoreOfALongTextThanIsNeeded() throws IOException {
    Path file = tokenizer();
    Random random = new Random(5);
    try (PairTokenizer tokenizer = new PairTokenizer(file)) {
      for (int i = 0; i < 300; i++) {
        String odd = RandomText.odd(random, random.nextInt(400));
        // half of a surrogate pair changes how the tokenizer's binding reads all of a string
        String text = new String(odd.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
        int limit = 1 + random.nextInt(200);
        int[] all = tokenizer.encode(text);
        int[] start = tokenizer.encodeStart(text, limit);
        int kept = Math.min(limit, all.length);
        assertArrayEquals(
            Arrays.copyOf(all, kept), Arrays.copyOf(start, Math.min(limit, start.length)));
        assertTrue(start.length > limit || start.length == all.length);
      }
      int[] start = tokenizer.encodeStart("retrieval ".repeat(100_000), 100);
      assertTrue(start.length < 300, "read " + start.length + " tokens");
    }
  }

  @Test
  void refusesATokenizerOfAnotherForm() throws IOException {
    Path file = folder.resolve("tokenizer.json");
    Files.writeString(
        file,
        TinyModel.tokenizer()
            .replace(
                "{\"Sequence\": {\"id\": \"B\", \"type_id\": 1}}",
                "{\"Sequence\": {\"id\": \"B\", \"type_id\": 0}}"));
    IOException e = assertThrows(IOException.class, () -> new PairTokenizer(file));
    assertTrue(e.getMessage().contains("BERT-family"), e.getMessage());
  }
}
