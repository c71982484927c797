package org.semanticbm25.eval;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.semanticbm25.lucene.SemanticBM25;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The field of an index that commands search, its analyzer, and its side file. */
final class FieldOption {
  @Option(
      names = "--field",
      paramLabel = "NAME",
      defaultValue = TextIndex.CONTENTS,
      description = "the field to search (default: ${DEFAULT-VALUE})")
  String name;

  @Option(
      names = "--side",
      paramLabel = "FILE",
      description = "the side file (default: INDEX.FIELD.side, next to the index)")
  Path side;

  @Mixin Analyzers analyzers;

  Analyzer analyzer() throws UserException {
    return analyzers.get();
  }

  /** Semantic BM25 on the field, with the model that it was attached with. */
  SemanticBM25 semantic(Workspace workspace, Path index) throws IOException {
    Path file = side != null ? side : Workspace.sideFile(index, name);
    return workspace.open(file, analyzer());
  }

  /** BM25 on the field. */
  RankingSystem bm25(DirectoryReader reader) throws UserException {
    return RankingSystem.bm25(reader, name, analyzer(), EvalCommand.K1, EvalCommand.B);
  }

  /** Refuses a field of which no hit has stored text. */
  void requireStored(Path index, IndexSearcher searcher, TopDocs hits) throws IOException {
    for (ScoreDoc hit : hits.scoreDocs) {
      if (searcher.storedFields().document(hit.doc, Set.of(name)).get(name) != null) {
        return;
      }
    }
    if (hits.scoreDocs.length > 0) {
      throw new UserException(
          "%s: field '%s' is not stored, so a cross-encoder cannot read it; give a field that is"
              .formatted(index, name));
    }
  }
}
