package org.semanticbm25.onnx.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.similarity.model.ContextualModel;
import org.semanticbm25.similarity.model.ContextualModel.Parameters;
import org.semanticbm25.similarity.model.Provenance;
import org.semanticbm25.similarity.model.TermVectors;

/** A random encoder of soft terms for the vocabulary of {@link TinyModel}, and its terms. */
public final class TinySoftTerms {
  /** Tokens of a window, with those around it. */
  public static final int POSITIONS = 80;

  /** Components of a vector. */
  public static final int DIMENSIONS = 6;

  /** Numbers of the function. */
  public static final Parameters PARAMETERS = new Parameters(4f, 0.4f, 0.3f, 1.7f, 0.2f, 0.6f);

  private static final List<String> TERMS =
      TinyModel.VOCABULARY.stream().filter(word -> word.matches("[a-z]{2,}")).toList();

  /** Its layers. */
  public final TinyBert bert;

  private final Random random;

  /** Makes the weights of the layers. */
  public TinySoftTerms(long seed) {
    this.random = new Random(seed);
    this.bert =
        new TinyBert(
            new TinyBert.Shape(TinyModel.VOCABULARY.size(), POSITIONS, 2, 24, 3, 32), seed);
  }

  /** Writes {@code model.onnx}, {@code tokenizer.json} and {@code terms.contextual}. */
  public ContextualModel write(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.write(folder.resolve("model.onnx"), bert.softTerms(DIMENSIONS, random).toByteArray());
    Files.writeString(folder.resolve("tokenizer.json"), TinyModel.tokenizer());
    ContextualModel model = model(NeuralModel.at(folder).sha256());
    try (Directory directory = FSDirectory.open(folder)) {
      model.write(directory, "terms.contextual");
    }
    return model;
  }

  /** Terms with random vectors. */
  public ContextualModel model(String encoderSha256) {
    float[][] vectors = new float[TERMS.size()][DIMENSIONS];
    for (float[] vector : vectors) {
      for (int d = 0; d < DIMENSIONS; d++) {
        vector[d] = (float) random.nextGaussian();
      }
    }
    float[] ones = new float[TERMS.size()];
    Arrays.fill(ones, 1f);
    return new ContextualModel(
        new Provenance("tiny", encoderSha256, "test", "2026-01-01T00:00:00Z", Map.of()),
        PARAMETERS,
        TERMS,
        ones,
        ones,
        TermVectors.quantize(DIMENSIONS, vectors));
  }
}
