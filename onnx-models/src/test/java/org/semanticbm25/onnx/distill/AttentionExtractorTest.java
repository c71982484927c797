package org.semanticbm25.onnx.distill;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.attention.AttentionFunction;
import org.semanticbm25.onnx.attention.AttentionModel;
import org.semanticbm25.onnx.attention.AttentionScorer;
import org.semanticbm25.onnx.attention.AttentionTaps.Mass;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.distill.AttentionExtractor.Fitted;
import org.semanticbm25.onnx.distill.AttentionExtractor.Step;
import org.semanticbm25.onnx.distill.PairSampler.PassageList;
import org.semanticbm25.onnx.graph.WordEmbeddings;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.testing.RandomText;
import org.semanticbm25.onnx.testing.TinyBert;

/** Features, fit and scorer of attention functions, on random models. */
class AttentionExtractorTest {
  private static final int LAYERS = 2;
  private static final int HEADS = 3;
  private static final int TOKENS = 50;

  @TempDir Path folder;

  /** Samples with random attention whose logits are those of a function, and noise. */
  private static List<PairSample> samples(AttentionFunction function, double noise, long seed) {
    Random random = new Random(seed);
    List<PairSample> samples = new ArrayList<>();
    for (int query = 0; query < 120; query++) {
      int[] tokens = random.ints(1 + random.nextInt(6), 0, TOKENS).toArray();
      List<Mass> masses = new ArrayList<>();
      float[] logits = new float[5];
      for (int i = 0; i < logits.length; i++) {
        float[] passage = new float[LAYERS * HEADS * tokens.length];
        for (int j = 0; j < passage.length; j++) {
          passage[j] = random.nextFloat();
        }
        masses.add(new Mass(tokens, passage, new float[passage.length]));
        logits[i] = function.score(masses.get(i)) + (float) (noise * random.nextGaussian());
      }
      samples.add(new PairSample(logits, masses));
    }
    return samples;
  }

  private static float[] idf() {
    Random random = new Random(5);
    float[] idf = new float[TOKENS];
    for (int i = 0; i < TOKENS; i++) {
      idf[i] = (float) random.nextGaussian();
    }
    return idf;
  }

  /**
   * Head 4 matches, head 1 a little, the others do nothing; a query by its IDF alone gains nothing.
   */
  private static AttentionFunction planted(float[] idf) {
    return new AttentionFunction(
        LAYERS, idf, -1f, -1.5f, new float[] {0, 0.5f, 0, 0, 2, 0}, new float[] {0, 0, 0, 0, 3, 0});
  }

  @Test
  void featuresAreTheirDefinition() {
    float[] idf = {2, -1};
    Mass mass =
        new Mass(new int[] {0, 1, 1}, new float[] {.1f, .2f, .3f, .4f, .5f, .6f}, new float[6]);
    assertArrayEquals(
        new double[] {0, .6 / 3, (2 * .1 - .2 - .3) / 3, 1.5 / 3, (2 * .4 - .5 - .6) / 3},
        AttentionFunction.features(mass, idf),
        1e-6);
    AttentionFunction function =
        new AttentionFunction(1, idf, 7, 5, new float[] {1, 2}, new float[] {3, 4});
    assertEquals(7 + .2 + 2 * .5 + 3 * -.1 + 4 * -.1, function.score(mass), 1e-5);
    Mass empty = new Mass(new int[0], new float[0], new float[0]);
    assertEquals(7f, function.score(empty));
    assertThrows(
        IllegalArgumentException.class,
        () -> new AttentionFunction(1, idf, Float.NaN, 0, new float[2], new float[2]));
  }

  @Test
  void recoversAPlantedFunctionAndItsHeads() {
    float[] idf = idf();
    AttentionExtractor extractor =
        new AttentionExtractor(
            LAYERS, HEADS, idf, samples(planted(idf), 0.01, 1), samples(planted(idf), 0.01, 2));
    Fitted fitted = extractor.fit(LAYERS);
    assertTrue(fitted.correlation() > 0.999, fitted.toString());
    assertEquals(2, fitted.function().massWeight(4), 0.05);
    assertEquals(3, fitted.function().idfMassWeight(4), 0.05);
    assertEquals(0.5, fitted.function().massWeight(1), 0.05);
    assertEquals(0, fitted.function().massWeight(0), 0.05);
    assertEquals(-1.5, fitted.function().idfWeight(), 0.05);
    assertEquals(-1, fitted.function().bias(), 0.05);
    assertTrue(extractor.fit(1).correlation() < 0.6, "the matching head is in the other layer");
    List<Step> path = extractor.matchingHeads(3);
    assertEquals(List.of(4, 1), path.subList(0, 2).stream().map(Step::head).toList());
    double[] alone = extractor.alone();
    assertEquals(
        4, Arrays.stream(alone).boxed().toList().indexOf(Arrays.stream(alone).max().getAsDouble()));
  }

  @Test
  void controlsCollapse() {
    float[] idf = idf();
    List<PairSample> train = samples(planted(idf), 0.01, 1);
    List<PairSample> development = samples(planted(idf), 0.01, 2);
    List<Float> shuffled = new ArrayList<>();
    for (float value : idf) {
      shuffled.add(value);
    }
    Collections.shuffle(shuffled, new Random(9));
    float[] random = new float[TOKENS];
    for (int i = 0; i < TOKENS; i++) {
      random[i] = shuffled.get(i);
    }
    double withRandomIdf =
        new AttentionExtractor(LAYERS, HEADS, random, train, development).fit(2).correlation();
    assertTrue(withRandomIdf < 0.75, "random IDF: " + withRandomIdf);
    AttentionExtractor extractor = new AttentionExtractor(LAYERS, HEADS, idf, train, development);
    double otherHeads = extractor.fit(List.of(0, 2, 3, 5)).correlation();
    assertTrue(otherHeads < 0.6, "random heads: " + otherHeads);
  }

  @ParameterizedTest
  @CsvSource({"2, 32, 4, 64", "4, 48, 3, 96"})
  void extractsFromModelsOfAnyDepthAndWidth(int layers, int hidden, int heads, int width)
      throws IOException {
    NeuralModel model = tinyModel(new TinyBert.Shape(30_522, 128, layers, hidden, heads, width));
    List<PassageList> texts = texts(30);
    Path file = folder.resolve("samples");
    List<PairSample> samples;
    try (CrossEncoder encoder = open(model);
        PairSampler sampler = new PairSampler(encoder, encoder::score, file)) {
      samples = sampler.sample("sampling", texts, Progress.SILENT);
      float[] logits = encoder.score(texts.get(3).query(), texts.get(3).passages());
      assertArrayEquals(logits, samples.get(3).logits(), 1e-5f);
      double[] similarity =
          new HeadSimilarity(sampler.taps(), WordEmbeddings.read(model.onnx()))
              .of(texts.subList(0, 3), Progress.SILENT);
      assertEquals(layers * heads, similarity.length);
      assertTrue(Arrays.stream(similarity).allMatch(s -> Math.abs(s) <= 1), "in [-1, 1]");
      assertTrue(Arrays.stream(similarity).distinct().count() > 1, "all alike");
    }
    AttentionModel extracted =
        new AttentionExtractor(
                layers,
                heads,
                Extractor.idfByToken(model),
                samples.subList(0, 20),
                samples.subList(20, 30))
            .extract(model);
    assertEquals(layers, extracted.layers());
    assertScorer(model, extracted, samples.get(0), texts.get(0));
    assertReadsBack(extracted, samples.get(0));
  }

  private void assertScorer(
      NeuralModel model, AttentionModel extracted, PairSample sample, PassageList texts)
      throws IOException {
    for (int k = 1; k <= extracted.layers(); k++) {
      try (AttentionScorer scorer = AttentionScorer.open(model, extracted, k, 2)) {
        float[] scores = scorer.score(texts.query(), texts.passages());
        AttentionScorer.Reading reading = scorer.read(texts.query(), texts.passages().get(1));
        double sum = scorer.function().bias();
        for (AttentionFunction.Contribution contribution : reading.contributions()) {
          sum += contribution.sum();
        }
        assertEquals(scores[1], sum, 1e-4, "contributions add up to the score");
        assertEquals(reading.queryTokens().size(), reading.contributions().size());
        for (int i = 0; i < scores.length; i++) {
          assertEquals(extracted.function(k).score(sample.masses().get(i)), scores[i], 1e-4);
        }
      }
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> AttentionScorer.open(model, extracted, extracted.layers() + 1, 1));
    NeuralModel other = tinyModel(new TinyBert.Shape(30_522, 128, 1, 32, 4, 64));
    IOException e =
        assertThrows(IOException.class, () -> AttentionScorer.open(other, extracted, 1, 1));
    assertTrue(e.getMessage().contains(other.onnx().toString()), e.getMessage());
  }

  private void assertReadsBack(AttentionModel extracted, PairSample sample) throws IOException {
    try (Directory directory = FSDirectory.open(folder)) {
      extracted.write(directory, "tiny.attention");
      AttentionModel read = AttentionModel.read(directory, "tiny.attention");
      assertEquals(extracted.provenance(), read.provenance());
      assertEquals(extracted.headsOfLayer(), read.headsOfLayer());
      for (int k = 1; k <= read.layers(); k++) {
        for (Mass mass : sample.masses()) {
          assertEquals(extracted.function(k).score(mass), read.function(k).score(mass));
        }
      }
      byte[] bytes = Files.readAllBytes(folder.resolve("tiny.attention"));
      bytes[bytes.length / 2] ^= 1;
      Files.write(folder.resolve("tiny.attention"), bytes);
      IOException e =
          assertThrows(IOException.class, () -> AttentionModel.read(directory, "tiny.attention"));
      assertTrue(e.getMessage().contains("sbm25 extract"), e.getMessage());
    }
  }

  @Test
  void samplingGoesOnWhereItWasStopped() throws IOException {
    NeuralModel model = tinyModel(new TinyBert.Shape(30_522, 128, 1, 32, 4, 64));
    Path file = folder.resolve("samples");
    List<PairSample> all = sample(model, file, texts(6));
    byte[] whole = Files.readAllBytes(file);
    // stopped in the middle of the last record
    Files.write(file, Arrays.copyOf(whole, whole.length - 9));
    int[] calls = new int[1];
    try (CrossEncoder encoder = open(model);
        PairSampler sampler = new PairSampler(encoder, encoder::score, file)) {
      assertTrue(Files.size(file) < whole.length - 9, "half a record is dropped");
      List<PairSample> again =
          sampler.sample("sampling", texts(6), (task, done, total) -> calls[0]++);
      assertArrayEquals(all.get(2).logits(), again.get(2).logits());
      assertArrayEquals(
          all.get(5).masses().get(1).passage(), again.get(5).masses().get(1).passage());
    }
    assertEquals(6, calls[0]);
    assertArrayEquals(whole, Files.readAllBytes(file));
    NeuralModel useless = tinyModel(new TinyBert.Shape(30_522, 128, 3, 32, 4, 64));
    try (CrossEncoder encoder = open(useless)) {
      Files.delete(useless.tokenizer());
      assertThrows(IOException.class, () -> new PairSampler(encoder, encoder::score, file));
    }
    assertArrayEquals(whole, Files.readAllBytes(file), "nothing is lost to a model of no use");
    NeuralModel other = tinyModel(new TinyBert.Shape(30_522, 128, 2, 32, 4, 64));
    assertNotEquals(
        all.getFirst().logits()[0], sample(other, file, texts(1)).getFirst().logits()[0]);
    assertTrue(Files.size(file) < whole.length, "another model's samples are begun anew");
    byte[] damaged = Files.readAllBytes(file);
    Arrays.fill(damaged, 80, damaged.length, (byte) -1);
    Files.write(file, damaged);
    IOException e = assertThrows(IOException.class, () -> sample(other, file, texts(1)));
    assertTrue(e.getMessage().contains(file + ": is damaged"), e.getMessage());
  }

  @Test
  void logitsAloneAreKeptTooAndCompletedWhenAttentionIsAskedFor() throws IOException {
    NeuralModel model = tinyModel(new TinyBert.Shape(30_522, 128, 1, 32, 4, 64));
    List<PairSample> whole = sample(model, folder.resolve("whole"), texts(2));
    Path file = folder.resolve("samples");
    try (CrossEncoder encoder = open(model);
        PairSampler sampler = new PairSampler(encoder, encoder::score, file)) {
      List<float[]> scores = sampler.score("scoring", texts(3), Progress.SILENT);
      assertArrayEquals(whole.get(1).logits(), scores.get(1));
    }
    long scored = Files.size(file);
    try (CrossEncoder encoder = open(model);
        PairSampler sampler = new PairSampler(encoder, encoder::score, file)) {
      sampler.score("scoring", texts(3), Progress.SILENT);
      assertEquals(scored, Files.size(file), "nothing is run again");
      List<PairSample> completed = sampler.sample("sampling", texts(2), Progress.SILENT);
      assertArrayEquals(
          whole.get(1).masses().get(3).passage(), completed.get(1).masses().get(3).passage());
    }
    assertArrayEquals(
        whole.get(0).masses().get(2).passage(),
        sample(model, file, texts(2)).get(0).masses().get(2).passage());
  }

  private static CrossEncoder open(NeuralModel model) throws IOException {
    return CrossEncoder.builder(model).open();
  }

  private static List<PairSample> sample(NeuralModel model, Path file, List<PassageList> texts)
      throws IOException {
    try (CrossEncoder encoder = open(model);
        PairSampler sampler = new PairSampler(encoder, encoder::score, file)) {
      return sampler.sample("sampling", texts, Progress.SILENT);
    }
  }

  private static List<PassageList> texts(int count) {
    Random random = new Random(4);
    List<PassageList> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      List<String> passages = new ArrayList<>();
      for (int j = 0; j < 4; j++) {
        passages.add(RandomText.words(random, 5 + random.nextInt(20)));
      }
      texts.add(new PassageList(RandomText.words(random, 1 + random.nextInt(5)), passages));
    }
    return texts;
  }

  private NeuralModel tinyModel(TinyBert.Shape shape) throws IOException {
    Path place = folder.resolve(shape.layers() + "x" + shape.hidden());
    new TinyBert(shape, 7).write(place);
    try (var tokenizer =
        getClass().getResourceAsStream("/org/semanticbm25/crossencoder/tokenizer.json")) {
      Files.write(place.resolve("tokenizer.json"), tokenizer.readAllBytes());
    }
    return NeuralModel.at(place);
  }
}
