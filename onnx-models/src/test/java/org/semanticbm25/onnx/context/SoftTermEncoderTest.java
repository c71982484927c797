package org.semanticbm25.onnx.context;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.semanticbm25.onnx.context.SoftTermEncoder.WordShare;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.runtime.PairTokenizer;
import org.semanticbm25.onnx.testing.BertOracle;
import org.semanticbm25.onnx.testing.TinyModel;
import org.semanticbm25.onnx.testing.TinySoftTerms;
import org.semanticbm25.similarity.model.ContextualModel;
import org.semanticbm25.similarity.model.ContextualModel.Parameters;
import org.semanticbm25.similarity.model.SoftFrequencies;

/** Soft frequencies of a random model, against the definition written out in double precision. */
class SoftTermEncoderTest {
  private static final int ROOM = TinySoftTerms.POSITIONS - 2;
  private static final int DIMENSIONS = TinySoftTerms.DIMENSIONS;
  private static final Parameters PARAMETERS = TinySoftTerms.PARAMETERS;

  @TempDir Path folder;
  private final Random random = new Random(11);
  private final TinySoftTerms tiny = new TinySoftTerms(7);
  private NeuralModel files;
  private ContextualModel model;

  @BeforeEach
  void write() throws IOException {
    model = tiny.write(folder);
    files = NeuralModel.at(folder);
  }

  private String text(int words) {
    List<String> text = new ArrayList<>();
    for (int i = 0; i < words; i++) {
      text.add(TinyModel.VOCABULARY.get(6 + random.nextInt(TinyModel.VOCABULARY.size() - 6)));
    }
    return String.join(" ", text).replace(" ##", "");
  }

  private int[] tokens(String text) throws IOException {
    try (PairTokenizer tokenizer = new PairTokenizer(files.tokenizer())) {
      return tokenizer.encode(text);
    }
  }

  /** scale * sum over tokens of gate * kernel(cosine), for all terms. */
  private double[] sums(String text) throws IOException {
    int[] tokens = tokens(text);
    int parts = (tokens.length + ROOM - 1) / ROOM;
    double[] sums = new double[model.size()];
    for (int part = 0; part < parts; part++) {
      int start = tokens.length * part / parts;
      int end = tokens.length * (part + 1) / parts;
      int[] ids = new int[end - start + 2];
      ids[0] = TinyModel.VOCABULARY.indexOf("[CLS]");
      System.arraycopy(tokens, start, ids, 1, end - start);
      ids[ids.length - 1] = TinyModel.VOCABULARY.indexOf("[SEP]");
      addWindow(sums, ids);
    }
    return sums;
  }

  private void addWindow(double[] sums, int[] ids) {
    BertOracle oracle = new BertOracle(tiny.bert);
    double[][] states = oracle.run(ids, new int[ids.length]).states().getLast();
    for (double[] state : states) {
      double[] vector = oracle.dense("passage", state, DIMENSIONS);
      double gate = Math.log1p(Math.exp(oracle.dense("gate", state, 1)[0]));
      double length = Math.sqrt(Arrays.stream(vector).map(v -> v * v).sum());
      for (int t = 0; t < model.size(); t++) {
        float[] term = model.vectors().unit(t);
        double cosine = 0;
        for (int d = 0; d < DIMENSIONS; d++) {
          cosine += vector[d] / length * term[d];
        }
        double above =
            Math.max(0, (cosine - PARAMETERS.threshold()) / (1 - PARAMETERS.threshold()));
        sums[t] += PARAMETERS.scale() * gate * above * above;
      }
    }
  }

  private void check(String text, SoftFrequencies found) throws IOException {
    double[] sums = sums(text);
    double[] frequencies = new double[model.size()];
    for (int i = 0; i < found.size(); i++) {
      frequencies[found.term(i)] = found.frequency(i);
    }
    for (int t = 0; t < model.size(); t++) {
      assertEquals(
          Math.max(0, sums[t] - PARAMETERS.cut()), frequencies[t], 1e-3 * (1 + sums[t]), text);
    }
  }

  @Test
  void frequenciesAreTheDefinition() throws IOException {
    List<String> texts = new ArrayList<>(List.of("", " ", "red"));
    for (int i = 0; i < 40; i++) {
      texts.add(text(random.nextInt(30)));
    }
    // one window, one and a token, several
    texts.add("red ".repeat(ROOM));
    texts.add("red ".repeat(ROOM + 1));
    texts.add(text(5 * ROOM));
    try (SoftTermEncoder encoder = SoftTermEncoder.open(files, model, 2)) {
      List<SoftFrequencies> found = encoder.encode(texts);
      assertEquals(texts.size(), found.size());
      assertEquals(0, found.get(0).size());
      for (int i = 0; i < texts.size(); i++) {
        check(texts.get(i), found.get(i));
      }
    }
  }

  @Test
  void sharesOfWordsAddUpToTheFrequency() throws IOException {
    String text = "quicked red laptops is a computer indexing the cheap car";
    try (SoftTermEncoder encoder = SoftTermEncoder.open(files, model, 1)) {
      SoftFrequencies found = encoder.encode(List.of(text)).getFirst();
      assertTrue(found.size() > 2, "too few to tell");
      int[] terms = IntStream.range(0, found.size()).map(found::term).toArray();
      List<List<WordShare>> shares = encoder.explain(text, terms);
      for (int i = 0; i < found.size(); i++) {
        List<WordShare> words = shares.get(i);
        double sum = words.stream().mapToDouble(WordShare::share).sum();
        assertEquals(found.frequency(i), sum - PARAMETERS.cut(), 1e-4);
        assertTrue(words.stream().noneMatch(word -> word.word().startsWith("##")));
      }
    }
  }

  @Test
  void refusesFrequenciesThatAreNoNumbers() throws IOException {
    tiny.bert.weights.forEach(
        (name, values) -> values[0] = name.endsWith("LayerNorm.bias") ? Float.NaN : values[0]);
    Path broken = Files.createDirectory(folder.resolve("broken"));
    ContextualModel terms = tiny.write(broken);
    try (SoftTermEncoder encoder = SoftTermEncoder.open(NeuralModel.at(broken), terms, 1)) {
      IOException e = assertThrows(IOException.class, () -> encoder.encode(List.of("red car")));
      assertTrue(e.getMessage().contains("a soft frequency is NaN"), e.getMessage());
    }
  }

  @Test
  void onlyTheEncoderOfTheModelIsTaken() {
    ContextualModel other = tiny.model("0".repeat(64));
    IOException e =
        assertThrows(IOException.class, () -> SoftTermEncoder.open(files, other, 1).close());
    assertTrue(e.getMessage().contains("belong together"), e.getMessage());
    assertThrows(
        IllegalArgumentException.class, () -> SoftTermEncoder.open(files, model, 0).close());
  }

  @Test
  void anotherGraphIsRefused() throws IOException {
    Files.write(folder.resolve("model.onnx"), tiny.bert.onnx(true).toByteArray());
    IOException e =
        assertThrows(
            IOException.class,
            () -> SoftTermEncoder.open(files, tiny.model(files.sha256()), 1).close());
    assertTrue(e.getMessage().contains("its outputs are [logits]"), e.getMessage());
  }

  @Test
  void aClosedEncoderSaysSo() throws IOException {
    SoftTermEncoder encoder = SoftTermEncoder.open(files, model, 1);
    encoder.close();
    encoder.close();
    assertThrows(IllegalStateException.class, () -> encoder.encode(List.of("red")));
  }

  @Test
  void anInterruptedCallerIsTold() throws IOException {
    try (SoftTermEncoder encoder = SoftTermEncoder.open(files, model, 1)) {
      Thread.currentThread().interrupt();
      assertThrows(InterruptedIOException.class, () -> encoder.encode(List.of(text(200))));
      assertTrue(Thread.interrupted());
      check("red", encoder.encode(List.of("red")).getFirst());
    }
  }
}
