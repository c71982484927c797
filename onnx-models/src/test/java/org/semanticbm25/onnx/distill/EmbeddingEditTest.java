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
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.graph.DynamicQuantization;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.graph.WordEmbeddings;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.runtime.Tokenizers;
import org.semanticbm25.onnx.testing.TinyBert;
import org.semanticbm25.onnx.testing.TinyModel;

/** On a random BERT with a real vocabulary, and on each way to store embeddings. */
class EmbeddingEditTest {
  private static final TinyBert.Shape SHAPE = new TinyBert.Shape(30_522, 512, 2, 32, 4, 64);
  private static final List<String> PASSAGES =
      List.of("a cheap laptop for the road", "a notebook of paper", "laptop bag");

  @TempDir Path folder;
  private Path tokenizer;

  @BeforeEach
  void tokenizer() throws IOException {
    tokenizer = NeuralModel.bundled(folder.resolve("bundled")).tokenizer();
  }

  private NeuralModel write(String name, OnnxGraph graph) throws IOException {
    Path place = Files.createDirectories(folder.resolve(name));
    graph.write(place.resolve("model.onnx"));
    Files.copy(tokenizer, place.resolve("tokenizer.json"));
    return NeuralModel.at(place);
  }

  private NeuralModel model(boolean quantized) throws IOException {
    OnnxGraph graph = new OnnxGraph("tiny", new TinyBert(SHAPE, 7).onnx(true));
    return write("model", quantized ? DynamicQuantization.apply(graph) : graph);
  }

  private static float[] scores(NeuralModel model, String query) throws IOException {
    try (CrossEncoder encoder = CrossEncoder.builder(model).threads(1).open()) {
      return encoder.score(query, PASSAGES);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void changesWhatHoldsTheWordAndNothingElse(boolean quantized) throws IOException {
    NeuralModel model = model(quantized);
    NeuralModel edited = write("edited", EmbeddingEdit.apply(model, Map.of("laptop", 3f)));
    float[] before = scores(model, "cheap paper");
    float[] after = scores(edited, "cheap paper");
    assertEquals(before[1], after[1], 1e-6f);
    assertNotEquals(before[0], after[0], 1e-4f);
    assertNotEquals(before[2], after[2], 1e-4f);
    assertNotEquals(scores(model, "laptop")[1], scores(edited, "laptop")[1], 1e-4f, "in the query");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aFactorOfOneIsTheIdentity(boolean quantized) throws IOException {
    NeuralModel model = model(quantized);
    OnnxGraph same = EmbeddingEdit.apply(model, Map.of("laptop", 1f, "road", 1f));
    assertArrayEquals(OnnxGraph.read(model.onnx()).bytes(), same.bytes());
  }

  /** The component along the direction, before and after, and the length of the rest. */
  @ParameterizedTest
  @EnumSource(TinyModel.Weights.class)
  void scalesTheComponentAlongTheDirection(TinyModel.Weights weights) throws IOException {
    NeuralModel model = TinyModel.write(folder.resolve("tiny"), weights);
    Tokenizers.Vocabulary vocabulary = Tokenizers.vocabulary(model.tokenizer());
    int laptop = vocabulary.pieces().indexOf("laptop");
    float[][] before = WordEmbeddings.read(model.onnx());
    float[][] after =
        WordEmbeddings.read(EmbeddingEdit.apply(model, Map.of("laptop", 0.5f, "car", 1f)));
    List<float[]> trained = new ArrayList<>();
    for (int id = 0; id < before.length; id++) {
      if (!vocabulary.isSpecial(id)) {
        trained.add(before[id]);
      }
      if (id != laptop) {
        assertArrayEquals(before[id], after[id], 0f);
      }
    }
    double[] axis = IdfDirection.axis(trained);
    double scale = weights.name().contains("INT8") ? 0.05 : 1e-3;
    double component = dot(before[laptop], axis);
    assertTrue(Math.abs(component) > 4 * scale, "component " + component);
    assertEquals(0.5 * component, dot(after[laptop], axis), scale);
    double rest = dot(before[laptop], before[laptop]) - component * component;
    double restAfter = dot(after[laptop], after[laptop]) - 0.25 * component * component;
    assertEquals(rest, restAfter, 4 * scale);
  }

  private static double dot(float[] row, double[] axis) {
    double sum = 0;
    for (int d = 0; d < row.length; d++) {
      sum += row[d] * axis[d];
    }
    return sum;
  }

  private static double dot(float[] row, float[] other) {
    double sum = 0;
    for (int d = 0; d < row.length; d++) {
      sum += (double) row[d] * other[d];
    }
    return sum;
  }

  @Test
  void refusesWhatIsNoTokenOrNoNumber() throws IOException {
    NeuralModel model = TinyModel.write(folder.resolve("tiny"), TinyModel.Weights.FLOAT);
    for (String word : List.of("laptops", "[CLS]", "[unused0]", "")) {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class, () -> EmbeddingEdit.apply(model, Map.of(word, 2f)));
      assertTrue(e.getMessage().contains("'" + word + "' is no single token"), e.getMessage());
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> EmbeddingEdit.apply(model, Map.of("laptop", Float.NaN)));
  }

  @Test
  void refusesWhatBytesCannotHold() throws IOException {
    NeuralModel model = model(true);
    IOException e =
        assertThrows(
            IOException.class, () -> EmbeddingEdit.apply(model, Map.of("laptop", 10_000f)));
    assertTrue(e.getMessage().contains("edit the float model"), e.getMessage());
  }

  @Test
  void refusesATokenizerOfAnotherModel() throws IOException {
    TinyBert.Shape small = new TinyBert.Shape(100, 64, 1, 8, 2, 16);
    NeuralModel model = write("small", new OnnxGraph("tiny", new TinyBert(small, 7).onnx(true)));
    IOException e =
        assertThrows(IOException.class, () -> EmbeddingEdit.apply(model, Map.of("laptop", 2f)));
    assertTrue(e.getMessage().contains("belong to different models"), e.getMessage());
  }
}
