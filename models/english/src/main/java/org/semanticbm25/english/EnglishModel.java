package org.semanticbm25.english;

import java.io.IOException;
import java.io.InputStream;
import org.semanticbm25.similarity.model.SemanticBM25Model;

/**
 * The English model: extracted from the cross-encoder of this project, with vectors and weights of
 * common English words. Needs no neural runtime.
 */
public final class EnglishModel {
  private static final String FILE = "english.sbm25";

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
}
