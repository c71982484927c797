package org.semanticbm25.opensearch;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.apache.lucene.analysis.Analyzer;
import org.opensearch.index.analysis.NamedAnalyzer;
import org.semanticbm25.similarity.field.ContextualField;
import org.semanticbm25.similarity.field.SemanticField;
import org.semanticbm25.similarity.model.ContextualModel;
import org.semanticbm25.similarity.model.SemanticBM25Model;

/**
 * Models applied to fields. Making one analyses all words of the model, which takes some tenths of
 * a second and keeps some 15 MB; the last {@value #KEPT} of a kind are kept. Those who ask for
 * others do not wait. Thread-safe.
 */
final class SemanticFields {
  private static final int KEPT = 8;

  private final LongAdder hits = new LongAdder();
  private final LongAdder misses = new LongAdder();
  private final Models models;
  private final Map<Object, CompletableFuture<SemanticField>> semantic = lastUsed();
  private final Map<Object, CompletableFuture<ContextualField>> contextual = lastUsed();

  /**
   * An analyzer by identity. Named ones are equal if their names are, whatever they do, and an
   * index closes its own.
   */
  private static final class Identity {
    private final Analyzer analyzer;

    Identity(Analyzer analyzer) {
      this.analyzer = analyzer instanceof NamedAnalyzer named ? named.analyzer() : analyzer;
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // that is what it is for
    public boolean equals(Object other) {
      return other instanceof Identity that && analyzer == that.analyzer;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(analyzer);
    }
  }

  private record SemanticKey(
      SemanticBM25Model model, String field, Identity indexAnalyzer, Identity searchAnalyzer) {}

  private record ContextualKey(
      ContextualModel model, String field, String softField, Identity analyzer) {}

  SemanticFields(Models models) {
    this.models = models;
  }

  private static <T> Map<Object, CompletableFuture<T>> lastUsed() {
    return new LinkedHashMap<>(16, 0.75f, true) {
      private static final long serialVersionUID = 1L;

      @Override
      protected boolean removeEldestEntry(Map.Entry<Object, CompletableFuture<T>> eldest) {
        return size() > KEPT;
      }
    };
  }

  /** Makes what is not there, outside of the lock; others who ask for the same wait for it. */
  private <T> T get(Map<Object, CompletableFuture<T>> kept, Object key, Supplier<T> maker) {
    CompletableFuture<T> own = new CompletableFuture<>();
    CompletableFuture<T> other;
    synchronized (kept) {
      other = kept.putIfAbsent(key, own);
    }
    (other != null ? hits : misses).increment();
    if (other != null) {
      try {
        return other.join();
      } catch (CompletionException e) {
        // the one who made it has told why
        return maker.get();
      }
    }
    try {
      T made = maker.get();
      own.complete(made);
      return made;
    } finally {
      if (!own.isDone()) {
        synchronized (kept) {
          kept.remove(key, own);
        }
        own.completeExceptionally(new IllegalStateException("not made"));
      }
    }
  }

  /** A static model on a field, whose queries bring their own similarity. */
  SemanticField semantic(
      String name, String field, Analyzer indexAnalyzer, Analyzer searchAnalyzer) {
    SemanticBM25Model model = models.semantic(name);
    return get(
        semantic,
        new SemanticKey(model, field, new Identity(indexAnalyzer), new Identity(searchAnalyzer)),
        () -> SemanticField.of(model, field, indexAnalyzer, searchAnalyzer).scoringItself());
  }

  /** How often a model on a field was asked for that was there. */
  long hits() {
    return hits.sum();
  }

  /** How often one was made. */
  long misses() {
    return misses.sum();
  }

  /** The numbers of a static model. */
  SemanticBM25Model model(String name) {
    return models.semantic(name);
  }

  /** A contextual model on a text field and its field of soft frequencies. */
  ContextualField contextual(String name, String field, String softField, Analyzer analyzer) {
    ContextualModel model = models.contextual(name);
    return get(
        contextual,
        new ContextualKey(model, field, softField, new Identity(analyzer)),
        () -> ContextualField.of(model, field, softField, analyzer));
  }
}
