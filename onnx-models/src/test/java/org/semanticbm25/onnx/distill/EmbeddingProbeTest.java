package org.semanticbm25.onnx.distill;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.distill.EmbeddingProbe.Edit;
import org.semanticbm25.onnx.distill.EmbeddingProbe.Response;
import org.semanticbm25.onnx.graph.DynamicQuantization;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.testing.TinyBert;

/** On a random BERT with a real vocabulary. */
class EmbeddingProbeTest {
  private static final TinyBert.Shape SHAPE = new TinyBert.Shape(30_522, 512, 2, 32, 4, 64);
  private static final String QUERY = "a cheap laptop";
  private static final String WITH = "laptop bag, laptop";
  private static final String WITHOUT = "a notebook of paper";
  private static final Map<String, Double> IDF =
      Map.of("the", 0.1, "of", 0.2, "cheap", 3d, "paper", 4d, "laptop", 7d, "bag", 5d);

  @TempDir Path folder;

  private NeuralModel write(String name, OnnxGraph graph) throws IOException {
    Path place = Files.createDirectories(folder.resolve(name));
    graph.write(place.resolve("model.onnx"));
    Files.copy(
        NeuralModel.bundled(folder.resolve("bundled")).tokenizer(),
        place.resolve("tokenizer.json"));
    return NeuralModel.at(place);
  }

  private NeuralModel model(boolean quantized) throws IOException {
    OnnxGraph graph = new OnnxGraph("tiny", new TinyBert(SHAPE, 7).onnx(true));
    return write("model", quantized ? DynamicQuantization.apply(graph) : graph);
  }

  private static float score(NeuralModel model, String passage) throws IOException {
    try (CrossEncoder encoder = CrossEncoder.builder(model).threads(1).open()) {
      return encoder.score(QUERY, List.of(passage))[0];
    }
  }

  private static int laptop(EmbeddingProbe probe) {
    return probe.token("laptop").orElseThrow();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aFactorOfOneIsTheModelItself(boolean quantized) throws IOException {
    NeuralModel model = model(quantized);
    try (EmbeddingProbe probe = EmbeddingProbe.open(model, IDF)) {
      for (Edit edit : Edit.values()) {
        Response response = probe.run(QUERY, WITH, laptop(probe), edit, 1);
        assertEquals(score(model, WITH), response.logit(), 1e-5);
      }
    }
  }

  @Test
  void equalsTheEditedModel() throws IOException {
    NeuralModel model = model(false);
    NeuralModel edited = write("edited", EmbeddingEdit.apply(model, Map.of("laptop", 3f)));
    try (EmbeddingProbe probe = EmbeddingProbe.open(model, null)) {
      Response response = probe.run(QUERY, WITH, laptop(probe), Edit.IDF_DIRECTION, 3);
      assertEquals(score(edited, WITH), response.logit(), 1e-5);
      assertNotEquals(score(model, WITH), response.logit(), 1e-4);
    }
  }

  @ParameterizedTest
  @EnumSource(Edit.class)
  void changesWhatHoldsTheTokenAndNothingElse(Edit edit) throws IOException {
    NeuralModel model = model(true);
    try (EmbeddingProbe probe = EmbeddingProbe.open(model, IDF)) {
      Response with = probe.run(QUERY, WITH, laptop(probe), edit, 3);
      assertNotEquals(score(model, WITH), with.logit(), 1e-4);
      int road = probe.token("road").orElseThrow();
      assertEquals(score(model, WITH), probe.run(QUERY, WITH, road, edit, 3).logit(), 1e-5);
    }
  }

  @Test
  void tellsTheAttentionToTheToken() throws IOException {
    try (EmbeddingProbe probe = EmbeddingProbe.open(model(false), null)) {
      Response with = probe.run(QUERY, WITH, laptop(probe), Edit.WHOLE, 1);
      assertTrue(with.toQuery() > 0 && with.toPassage() > 0, with.toString());
      assertTrue(with.toQuery() + with.toPassage() < 1, with.toString());
      Response without = probe.run(QUERY, WITHOUT, laptop(probe), Edit.WHOLE, 1);
      assertTrue(without.toQuery() > 0, without.toString());
      assertEquals(0, without.toPassage());
      assertTrue(probe.token("no such word").isEmpty());
    }
  }
}
