package org.semanticbm25.opensearch;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.lucene.analysis.Analyzer;
import org.semanticbm25.similarity.field.ContextualField;
import org.semanticbm25.similarity.field.SemanticField;
import org.semanticbm25.similarity.model.ContextualModel;
import org.semanticbm25.similarity.model.SemanticBM25Model;

/**
 * Models applied to fields. Making one analyses all words of the model, which takes some tenths of a
 * second; the last ones are kept. Thread-safe.
 */
final class SemanticFields {
  private static final int KEPT = 64;

  private final Models models;
  private final Map<Object, SemanticField> semantic = lastUsed();
  private final Map<Object, ContextualField> contextual = lastUsed();

  /** Analyzers are compared by identity: an index that is opened anew has its own. */
  private record SemanticKey(
      SemanticBM25Model model, String field, Analyzer indexAnalyzer, Analyzer searchAnalyzer) {}

  private record ContextualKey(
      ContextualModel model, String field, String softField, Analyzer analyzer) {}

  SemanticFields(Models models) {
    this.models = models;
  }

  private static <T> Map<Object, T> lastUsed() {
    return new LinkedHashMap<>(16, 0.75f, true) {
      private static final long serialVersionUID = 1L;

      @Override
      protected boolean removeEldestEntry(Map.Entry<Object, T> eldest) {
        return size() > KEPT;
      }
    };
  }

  private static <T> T get(Map<Object, T> kept, Object key, Supplier<T> maker) {
    synchronized (kept) {
      return kept.computeIfAbsent(key, k -> maker.get());
    }
  }

  /** A static model on a field, whose queries bring their own similarity. */
  SemanticField semantic(String name, String field, Analyzer indexAnalyzer, Analyzer searchAnalyzer) {
    SemanticBM25Model model = models.semantic(name);
    return get(
        semantic,
        new SemanticKey(model, field, indexAnalyzer, searchAnalyzer),
        () -> SemanticField.of(model, field, indexAnalyzer, searchAnalyzer).scoringItself());
  }

  /** A contextual model on a text field and its field of soft frequencies. */
  ContextualField contextual(String name, String field, String softField, Analyzer analyzer) {
    ContextualModel model = models.contextual(name);
    return get(
        contextual,
        new ContextualKey(model, field, softField, analyzer),
        () -> ContextualField.of(model, field, softField, analyzer));
  }
}
