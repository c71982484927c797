package org.semanticbm25.eval;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.semanticbm25.lucene.SemanticBM25;
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
    description = "Search an index, with the hits and scores of BM25 or semantic BM25.%n")
final class SearchCommand implements Callable<Integer> {
  private static final int SNIPPET = 160;

  /** What scores a query. */
  enum ScorerName {
    BM25,
    SEMANTIC
  }

  @Parameters(paramLabel = "INDEX", description = "a folder with a Lucene index")
  Path index;

  @Parameters(paramLabel = "QUERY", description = "what to search for, in plain words")
  String text;

  @Option(
      names = "--scorer",
      paramLabel = "NAME",
      defaultValue = "semantic",
      description = "bm25, or semantic, which needs a side file of 'attach' (default: semantic)")
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
  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if (count < 1) {
      throw new UserException("-n " + count + ": must be 1 or more");
    }
    try (DirectoryReader reader = Workspace.openIndex(index)) {
      Analyzer analyzer = analyzers.get();
      RankingSystem system;
      if (scorer == ScorerName.SEMANTIC) {
        Path file = side != null ? side : Workspace.sideFile(index, field);
        SemanticBM25 semantic = workspace.open(file, analyzer);
        system = RankingSystem.semantic(reader, semantic);
      } else {
        system = RankingSystem.bm25(reader, field, analyzer, 0.9f, 0.4f);
      }
      print(system.searcher(), system.query(text));
    }
    return 0;
  }

  private void print(IndexSearcher searcher, Query query) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    TopDocs top = searcher.search(query, count);
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
        out.println(searcher.explain(query, hit.doc).toString().indent(4));
      }
    }
    out.flush();
    if (rank == 0) {
      Terminal.say("no hits");
    }
  }
}
