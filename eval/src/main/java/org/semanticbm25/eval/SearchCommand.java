package org.semanticbm25.eval;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.Rescorer;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.semanticbm25.lucene.CrossEncoderRescorer;
import org.semanticbm25.lucene.PassageSource;
import org.semanticbm25.lucene.SemanticBM25Rescorer;
import org.semanticbm25.onnx.AttentionScorer;
import org.semanticbm25.onnx.CrossEncoder;
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
      "The cross-encoder, and the attention of its first layers, rerank the first 100 hits of"
          + " BM25.%n"
    })
final class SearchCommand implements Callable<Integer> {
  private static final int SNIPPET = 160;
  private static final int RERANKED = 100;

  /** What scores a query. */
  enum ScorerName {
    BM25,
    SEMANTIC,
    ATTENTION,
    CROSS_ENCODER;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

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
      defaultValue = "semantic",
      description =
          "bm25, cross-encoder, attention, or semantic, which needs a side file of 'attach' (default:"
              + " semantic)")
  ScorerName scorer;

  @Option(names = "-n", paramLabel = "N", defaultValue = "10", description = "hits (default: 10)")
  int count;

  @Option(names = "--explain", description = "explain the score of each hit")
  boolean explain;

  @Option(
      names = "--field",
      paramLabel = "NAME",
      defaultValue = TextIndex.CONTENTS,
      description = "the field to search (default: ${DEFAULT-VALUE})")
  String field;

  @Mixin Analyzers analyzers;

  @Option(
      names = "--side",
      paramLabel = "FILE",
      description = "the side file (default: INDEX.FIELD.side, next to the index)")
  Path side;

  @Mixin Workspace workspace;
  @Mixin CrossEncoderOption crossEncoder;
  @Mixin AttentionOption attention;
  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if (count < 1) {
      throw new UserException("-n " + count + ": must be 1 or more");
    }
    try (DirectoryReader reader = Workspace.openIndex(index)) {
      Analyzer analyzer = analyzers.get();
      switch (scorer) {
        case SEMANTIC -> {
          Path file = side != null ? side : Workspace.sideFile(index, field);
          searchWith(RankingSystem.semantic(reader, workspace.open(file, analyzer)));
        }
        case BM25 -> searchWith(bm25(reader, analyzer));
        case ATTENTION -> {
          try (AttentionScorer attentive =
              attention.open(crossEncoder.model(workspace.home))) {
            rerank(
                bm25(reader, analyzer),
                SemanticBM25Rescorer.create(attentive, text, PassageSource.storedFields(field)));
          }
        }
        case CROSS_ENCODER -> {
          try (CrossEncoder encoder = crossEncoder.open(workspace.home)) {
            rerank(
                bm25(reader, analyzer),
                CrossEncoderRescorer.create(encoder, text, PassageSource.storedFields(field)));
          }
        }
      }
    }
    return 0;
  }

  private RankingSystem bm25(DirectoryReader reader, Analyzer analyzer) {
    return RankingSystem.bm25(reader, field, analyzer, EvalCommand.K1, EvalCommand.B);
  }

  private void searchWith(RankingSystem system) throws IOException {
    IndexSearcher searcher = system.searcher();
    Query query = system.query(text);
    print(searcher, searcher.search(query, count), doc -> searcher.explain(query, doc));
  }

  private void rerank(RankingSystem bm25, Rescorer rescorer) throws IOException {
    IndexSearcher searcher = bm25.searcher();
    Query query = bm25.query(text);
    TopDocs first = searcher.search(query, Math.max(count, RERANKED));
    requireStored(index, field, searcher, first);
    print(
        searcher,
        rescorer.rescore(searcher, first, count),
        doc -> rescorer.explain(searcher, searcher.explain(query, doc), doc));
  }

  /** Refuses a field of which no hit has stored text. */
  static void requireStored(Path index, String field, IndexSearcher searcher, TopDocs hits)
      throws IOException {
    for (ScoreDoc hit : hits.scoreDocs) {
      if (searcher.storedFields().document(hit.doc, Set.of(field)).get(field) != null) {
        return;
      }
    }
    if (hits.scoreDocs.length > 0) {
      throw new UserException(
          "%s: field '%s' is not stored, so a cross-encoder cannot read it; give a field that is"
              .formatted(index, field));
    }
  }

  private void print(IndexSearcher searcher, TopDocs top, Explainer explainer)
      throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    int rank = 0;
    for (ScoreDoc hit : top.scoreDocs) {
      Document document = searcher.storedFields().document(hit.doc);
      String id = document.get(TextIndex.ID);
      out.printf("%2d  %8.4f  %s%n", ++rank, hit.score, id != null ? id : "document " + hit.doc);
      String stored = document.get(field);
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
