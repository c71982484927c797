package org.semanticbm25.eval.serve;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.collection.SingleTerm;
import org.semanticbm25.eval.collection.TextIndex;
import org.semanticbm25.eval.compare.Comparison.PassageView;
import org.semanticbm25.eval.compare.Comparison.QueryTerm;
import org.semanticbm25.eval.compare.Comparison.RankedHit;
import org.semanticbm25.eval.compare.Drilldown;
import org.semanticbm25.lucene.CrossEncoderRescorer;
import org.semanticbm25.lucene.PassageSource;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.similarity.field.ContextualField;
import org.semanticbm25.similarity.field.SemanticField;
import org.semanticbm25.similarity.model.ScoringParameters;

/** Answers queries on one index by several systems. Thread-safe. */
public final class LiveSearch {
  private static final int SHOWN = 10;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final DirectoryReader reader;
  private final SemanticField semantic;
  private final Analyzer analyzer;
  private final CopiedCommands commands;
  private final CrossEncoder encoder;
  private final int pool;
  private final RankingSystem bm25;
  private final @Nullable RankingSystem contextual;
  private final String[] ids;
  private final Map<String, Integer> documents = new HashMap<>();
  private final PassageSource passages;
  private final Drilldown drilldown;

  /**
   * @param commands what those to copy have in common
   * @param contextual of the field; null if the index is not enriched
   * @param encoder not closed here
   * @param pool hits of BM25 that the cross-encoder reads
   */
  public LiveSearch(
      DirectoryReader reader,
      SemanticField semantic,
      Analyzer analyzer,
      CopiedCommands commands,
      @Nullable ContextualField contextual,
      CrossEncoder encoder,
      int pool)
      throws IOException {
    this.reader = reader;
    this.semantic = semantic;
    this.analyzer = analyzer;
    this.commands = commands;
    this.encoder = encoder;
    this.pool = pool;
    this.bm25 = RankingSystem.bm25(reader, semantic.name(), analyzer);
    this.contextual = contextual == null ? null : RankingSystem.contextual(reader, contextual);
    this.ids = TextIndex.ids(reader);
    for (int doc = 0; doc < ids.length; doc++) {
      documents.put(ids[doc], doc);
    }
    this.passages = PassageSource.storedFields(semantic.name());
    this.drilldown = new Drilldown(reader, semantic.name(), analyzer, passages);
  }

  /**
   * What the page shows.
   *
   * @param hits the first ones by system
   * @param passages what is shown of them, by id
   * @param millis time by system
   */
  record Answer(
      List<QueryTerm> terms,
      Map<String, List<RankedHit>> hits,
      Map<String, PassageView> passages,
      Map<String, Double> millis,
      String command,
      String java) {}

  ScoringParameters defaults() {
    return semantic.parameters();
  }

  String field() {
    return semantic.name();
  }

  int size() {
    return reader.numDocs();
  }

  /** The systems that need no network. */
  private Map<String, RankingSystem> systems(Setting setting) {
    check(setting);
    Map<String, RankingSystem> systems = new LinkedHashMap<>();
    systems.put("bm25", bm25);
    systems.put(
        "semantic",
        RankingSystem.semantic(
            reader, semantic.withParameters(setting.parameters()).withEdits(setting.wordEdits())));
    if (contextual != null) {
      systems.put("contextual", contextual);
    }
    return systems;
  }

  /** Searches without a network. */
  Answer search(Setting setting) throws IOException {
    Map<String, RankingSystem> systems = systems(setting);
    Map<String, TopDocs> found = new LinkedHashMap<>();
    Map<String, Double> millis = new LinkedHashMap<>();
    for (Map.Entry<String, RankingSystem> system : systems.entrySet()) {
      long start = System.nanoTime();
      found.put(
          system.getKey(),
          system.getValue().searcher().search(system.getValue().query(setting.query()), SHOWN));
      millis.put(system.getKey(), (System.nanoTime() - start) / 1e6);
    }
    return answer(setting, systems, found, millis);
  }

  /**
   * Reranks the first hits of BM25 with the cross-encoder.
   *
   * @throws TimeoutException if it takes too long
   */
  Answer rerank(Setting setting) throws IOException, TimeoutException {
    Map<String, RankingSystem> systems = systems(setting);
    long start = System.nanoTime();
    TopDocs first = bm25.searcher().search(bm25.query(setting.query()), pool);
    TopDocs second = first;
    if (first.scoreDocs.length > 0) {
      try {
        second = rescorer(setting).withTimeout(PATIENCE).rescore(bm25.searcher(), first, SHOWN);
      } catch (IOException e) {
        if (e.getCause() instanceof TimeoutException late) {
          throw late;
        }
        throw e;
      }
    }
    double took = (System.nanoTime() - start) / 1e6;
    return answer(setting, systems, Map.of("cross-encoder", second), Map.of("cross-encoder", took));
  }

  private CrossEncoderRescorer rescorer(Setting setting) {
    return CrossEncoderRescorer.interpolated(
        encoder, setting.query(), passages, setting.firstPassWeight());
  }

  /** Refuses words that are none to the analyzer, or several, as the command does. */
  private void check(Setting setting) {
    for (String word : setting.edits().keySet()) {
      if (!SingleTerm.isOne(analyzer, semantic.name(), word)) {
        throw new IllegalArgumentException("edits: no single word that is searched for: " + word);
      }
    }
  }

  private Answer answer(
      Setting setting,
      Map<String, RankingSystem> systems,
      Map<String, TopDocs> found,
      Map<String, Double> millis)
      throws IOException {
    Map<String, List<RankedHit>> hits = new LinkedHashMap<>();
    Set<Integer> shown = new LinkedHashSet<>();
    found.forEach(
        (name, top) -> {
          List<RankedHit> ranked = new ArrayList<>();
          for (ScoreDoc hit : top.scoreDocs) {
            ranked.add(new RankedHit(ids[hit.doc], hit.score));
            shown.add(hit.doc);
          }
          hits.put(name, ranked);
        });
    setting.also().stream().map(documents::get).filter(Objects::nonNull).forEach(shown::add);
    RankingSystem own = Objects.requireNonNull(systems.get("semantic"));
    List<QueryTerm> terms = drilldown.terms(own.query(setting.query()));
    int[] docs = shown.stream().mapToInt(doc -> doc).toArray();
    List<PassageView> views = drilldown.passages(setting.query(), terms, systems, docs, Map.of());
    Map<String, PassageView> byId = new LinkedHashMap<>();
    for (int i = 0; i < docs.length; i++) {
      byId.put(ids[docs[i]], views.get(i));
    }
    return new Answer(
        terms, hits, byId, millis, setting.commands(commands), setting.java(semantic.name()));
  }
}
