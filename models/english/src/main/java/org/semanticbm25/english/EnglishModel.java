package org.semanticbm25.english;

import java.io.IOException;
import java.io.InputStream;
import org.semanticbm25.similarity.model.ContextualModel;
import org.semanticbm25.similarity.model.SemanticBM25Model;

/**
 * The English models: one extracted from the cross-encoder of this project, with vectors and
 * weights of common English words, and the terms of soft frequencies in context. Need no neural
 * runtime.
 */
public final class EnglishModel {
  private static final String FILE = "english.sbm25";

  private static final String CONTEXTUAL_FILE = "english.contextual";

  private EnglishModel() {}

  /**
   * Reads the model from the class path: some 15 MB of heap. Load it once and share it.
   *
   * @return the model
   * @throws IOException if the artifact is damaged
   */
  public static SemanticBM25Model load() throws IOException {
    try (InputStream in = EnglishModel.class.getResourceAsStream(FILE)) {
      return SemanticBM25Model.read(in);
    }
  }

  /**
   * Reads the contextual model from the class path: terms and numbers that a search of soft
   * frequencies needs, some 5 MB of heap. Load it once and share it.
   *
   * @return the model; the encoder that belongs to it is the artifact {@code
   *     semanticbm25-contextual-encoder}
   * @throws IOException if the artifact is damaged
   */
  public static ContextualModel loadContextual() throws IOException {
    try (InputStream in = EnglishModel.class.getResourceAsStream(CONTEXTUAL_FILE)) {
      return ContextualModel.read(in);
    }
  }
}
