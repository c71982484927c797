package org.semanticbm25.eval.cli.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import org.apache.lucene.document.Document;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.Rescorer;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.cli.option.AttentionOption;
import org.semanticbm25.eval.cli.option.ContextualOption;
import org.semanticbm25.eval.cli.option.CrossEncoderOption;
import org.semanticbm25.eval.cli.option.FieldOption;
import org.semanticbm25.eval.cli.option.FirstPassOption;
import org.semanticbm25.eval.cli.option.FirstPassOption.FirstPass;
import org.semanticbm25.eval.cli.option.ProfileOption;
import org.semanticbm25.eval.cli.option.Workspace;
import org.semanticbm25.eval.collection.CollectionIndexes;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.collection.TextIndex;
import org.semanticbm25.lucene.AttentionRescorer;
import org.semanticbm25.lucene.CrossEncoderRescorer;
import org.semanticbm25.lucene.PassageSource;
import org.semanticbm25.lucene.RescoredDoc;
import org.semanticbm25.lucene.SoftTermExplainer;
import org.semanticbm25.onnx.attention.AttentionScorer;
import org.semanticbm25.onnx.context.SoftTermEncoder;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.similarity.field.ContextualField;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sbm25 search}. */
@Command(
    name = "search",
    sortOptions = false,
    description = {
      "Search an index, with the hits and scores of BM25, semantic BM25 or a cross-encoder.",
      "contextual needs an index made by 'enrich', and is the default there.",
      "The cross-encoder, and the attention of its first layers, rerank the first 100 hits of"
          + " BM25, or of another first pass.%n"
    })
public final class SearchCommand implements Callable<Integer> {
  private static final int SNIPPET = 160;
  private static final int RERANKED = 100;

  /** What scores a query. */
  enum ScorerName {
    BM25,
    SEMANTIC,
    CONTEXTUAL,
    ATTENTION,
    CROSS_ENCODER;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  private static final Set<ScorerName> RERANKING =
      Set.of(ScorerName.ATTENTION, ScorerName.CROSS_ENCODER);
  private static final Set<ScorerName> PROFILED =
      Set.of(ScorerName.SEMANTIC, ScorerName.CONTEXTUAL);

  /** Explains the score of a hit. */
  @FunctionalInterface
  private interface Explainer {
    Explanation explain(int doc) throws IOException;
  }

  @Parameters(paramLabel = "INDEX", description = "a folder with a Lucene index")
  Path index;

  @Parameters(paramLabel = "QUERY", description = "what to search for, in plain words")
  String text;

  @Option(
      names = "--scorer",
      paramLabel = "NAME",
      description =
          "bm25, semantic, contextual, attention or cross-encoder (default: contextual if the index"
              + " is enriched, else semantic)")
  @Nullable ScorerName scorer;

  @Option(names = "-n", paramLabel = "N", defaultValue = "10", description = "hits (default: 10)")
  int count;

  @Option(names = "--explain", description = "explain the score of each hit")
  boolean explain;

  @Mixin FieldOption field;
  @Mixin ProfileOption profile;

  @Mixin Workspace workspace;
  @Mixin CrossEncoderOption crossEncoder;
  @Mixin FirstPassOption firstPass;
  @Mixin AttentionOption attention;
  @Mixin ContextualOption contextual;
  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if (count < 1) {
      throw new UserException("-n " + count + ": must be 1 or more");
    }
    firstPass.check();
    try (DirectoryReader reader = CollectionIndexes.openIndex(index)) {
      field.requireIn(index, reader);
      ScorerName name = scorer != null ? scorer : defaultScorer(reader);
      boolean knowsProfile =
          PROFILED.contains(name)
              || (RERANKING.contains(name) && firstPass.system != FirstPass.BM25);
      if (profile.isGiven() && !knowsProfile) {
        throw new UserException(
            "--profile: --scorer %s knows none; give semantic or contextual, or rerank what these find: --first-pass"
                .formatted(name));
      }
      profile.read(field.name, field.analyzer());
      switch (name) {
        case SEMANTIC -> searchWith(semantic(reader));
        case CONTEXTUAL -> searchInContext(reader);
        case BM25 -> searchWith(field.bm25(reader));
        case ATTENTION -> {
          RankingSystem first = firstPass(reader);
          try (AttentionScorer attentive = attention.open(crossEncoder.model(workspace.home))) {
            rerank(
                first,
                AttentionRescorer.create(attentive, text, PassageSource.storedFields(field.name)));
          }
        }
        case CROSS_ENCODER -> {
          RankingSystem first = firstPass(reader);
          try (CrossEncoder encoder = crossEncoder.open(workspace.home)) {
            CrossEncoderOption.tellCut(encoder, List.of(text));
            rerank(
                first,
                CrossEncoderRescorer.interpolated(
                    encoder, text, PassageSource.storedFields(field.name), firstPass.weight));
          }
        }
      }
    }
    return 0;
  }

  private ScorerName defaultScorer(DirectoryReader reader) {
    return ContextualField.isIn(reader, field.name) ? ScorerName.CONTEXTUAL : ScorerName.SEMANTIC;
  }

  private RankingSystem firstPass(DirectoryReader reader) throws IOException {
    return switch (firstPass.system) {
      case BM25 -> field.bm25(reader);
      case SEMANTIC -> semantic(reader);
      case CONTEXTUAL -> RankingSystem.contextual(reader, contextual(reader));
    };
  }

  private RankingSystem semantic(DirectoryReader reader) throws IOException {
    return RankingSystem.semantic(reader, profile.on(field.semantic(workspace, index)));
  }

  private ContextualField contextual(DirectoryReader reader) throws IOException {
    return profile.on(contextual.checked(index, reader, field.name, field.analyzer()));
  }

  private void searchWith(RankingSystem system) throws IOException {
    IndexSearcher searcher = system.searcher();
    Query query = system.query(text);
    print(searcher, searcher.search(query, count), doc -> searcher.explain(query, doc));
  }

  private void searchInContext(DirectoryReader reader) throws IOException {
    ContextualField soft = contextual(reader);
    RankingSystem system = RankingSystem.contextual(reader, soft);
    if (!explain) {
      searchWith(system);
      return;
    }
    try (SoftTermEncoder encoder = contextual.encoder(workspace.home)) {
      SoftTermExplainer words = new SoftTermExplainer(soft, encoder);
      IndexSearcher searcher = system.searcher();
      Query query = system.query(text);
      print(
          searcher,
          searcher.search(query, count),
          doc ->
              words.explain(
                  searcher.explain(query, doc),
                  text,
                  searcher.storedFields().document(doc, Set.of(field.name)).get(field.name)));
    }
  }

  private void rerank(RankingSystem first, Rescorer rescorer) throws IOException {
    IndexSearcher searcher = first.searcher();
    Query query = first.query(text);
    TopDocs hits = searcher.search(query, Math.max(count, RERANKED));
    field.requireStored(index, searcher, hits);
    TopDocs second = rescorer.rescore(searcher, hits, Math.max(count, RERANKED));
    tellMissingTexts(second);
    second.scoreDocs = Arrays.copyOf(second.scoreDocs, Math.min(count, second.scoreDocs.length));
    print(searcher, second, doc -> rescorer.explain(searcher, searcher.explain(query, doc), doc));
  }

  private void tellMissingTexts(TopDocs rescored) {
    long missing =
        Arrays.stream(rescored.scoreDocs).filter(hit -> !((RescoredDoc) hit).hasText).count();
    if (missing > 0) {
      Terminal.say(
          "%s of %s hits have no text in field '%s' and were scored as empty",
          missing, rescored.scoreDocs.length, field.name);
    }
  }

  private void print(IndexSearcher searcher, TopDocs top, Explainer explainer) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    int rank = 0;
    for (ScoreDoc hit : top.scoreDocs) {
      Document document = searcher.storedFields().document(hit.doc);
      String id = document.get(TextIndex.ID);
      out.printf("%2d  %8.4f  %s%n", ++rank, hit.score, id != null ? id : "document " + hit.doc);
      String stored = document.get(field.name);
      if (stored != null) {
        out.println("    " + stored.substring(0, Math.min(SNIPPET, stored.length())));
      }
      if (explain) {
        out.println(explainer.explain(hit.doc).toString().indent(4));
      }
    }
    out.flush();
    if (rank == 0) {
      Terminal.say("no hits");
    }
  }
}
