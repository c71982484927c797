package org.semanticbm25.opensearch;

import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.FieldInvertState;
import org.apache.lucene.search.CollectionStatistics;
import org.apache.lucene.search.TermStatistics;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.search.similarities.PerFieldSimilarityWrapper;
import org.apache.lucene.search.similarities.Similarity;
import org.opensearch.common.settings.Settings;
import org.semanticbm25.similarity.field.SemanticField;
import org.semanticbm25.similarity.model.ScoringParameters;
import org.semanticbm25.similarity.search.SemanticBM25Similarity;

/**
 * The similarity {@value #TYPE} of a field: BM25 with the IDF of a static model blended in, on the
 * norms that an index has. {@code semantic_match} takes its numbers from here. The analyzer is that
 * of the field; it tells which words of the model a term stands for, and is asked for if IDF values
 * are blended.
 */
final class SemanticSimilarity extends Similarity {
  static final String TYPE = "semantic_bm25";
  private static final Set<String> SETTINGS =
      Set.of("type", "k1", "b", "idf_blend", "model", "analyzer");
  private static final String FIELD = "any";
  private static final Similarity NORMS = new BM25Similarity();

  private final Settings settings;
  private final Supplier<Similarity> similarity;

  /**
   * @param settings k1, b, idf_blend, model, analyzer; each may be left out
   * @param fields applies models
   * @param analyzers finds an analyzer by its name
   * @throws IllegalArgumentException if a setting is unknown or out of its range
   */
  SemanticSimilarity(
      Settings settings, SemanticFields fields, Function<String, Analyzer> analyzers) {
    Set<String> unknown = new TreeSet<>(settings.keySet());
    unknown.removeAll(SETTINGS);
    if (!unknown.isEmpty()) {
      throw new IllegalArgumentException(
          "unknown settings %s of similarity [%s]; known are %s"
              .formatted(unknown, TYPE, new TreeSet<>(SETTINGS)));
    }
    this.settings = settings;
    String model = settings.get("model", Models.BUNDLED);
    Analyzer analyzer = analyzers.apply(settings.get("analyzer", "standard"));
    ScoringParameters own = parameters(fields.model(model).parameters());
    // an index is made on a thread that must not wait for words to be analysed
    this.similarity =
        own.idfBlend() == 0f
            ? plain(own)
            : () -> blended(fields.semantic(model, FIELD, analyzer, analyzer).withParameters(own));
  }

  private static Supplier<Similarity> plain(ScoringParameters own) {
    Similarity similarity =
        new SemanticBM25Similarity(own.k1(), own.b(), 0f, SemanticBM25Similarity.TermIdf.NONE);
    return () -> similarity;
  }

  private static Similarity blended(SemanticField field) {
    return ((PerFieldSimilarityWrapper) field.similarity()).get(FIELD);
  }

  /** The numbers of a model, with those that the settings have in place of its own. */
  ScoringParameters parameters(ScoringParameters model) {
    return new ScoringParameters(
        settings.getAsFloat("k1", model.k1()),
        settings.getAsFloat("b", model.b()),
        model.threshold(),
        model.exponent(),
        model.scale(),
        model.maxSoftTerms(),
        settings.getAsFloat("idf_blend", model.idfBlend()),
        model.weightExponent());
  }

  @Override
  public long computeNorm(FieldInvertState state) {
    return NORMS.computeNorm(state);
  }

  @Override
  public SimScorer scorer(
      float boost, CollectionStatistics collectionStats, TermStatistics... termStats) {
    return similarity.get().scorer(boost, collectionStats, termStats);
  }

  @Override
  public String toString() {
    return TYPE + settings;
  }
}
