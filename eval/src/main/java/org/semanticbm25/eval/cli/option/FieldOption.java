package org.semanticbm25.eval.cli.option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.FieldInfos;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.MatchAllDocsQuery;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.store.Directory;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.similarity.field.AttachedTerms;
import org.semanticbm25.similarity.field.SemanticField;
import picocli.CommandLine.Option;

/** The field of an index that commands search, its analyzer, and the words attached to it. */
public final class FieldOption extends IndexedFieldOption {
  private static final int LOOKED_AT = 1000;

  @Option(
      names = "--attached",
      paramLabel = "FILE",
      description =
          "words that 'attach' added (default: INDEX.FIELD.attached, next to the index, if it is"
              + " there)")
  @Nullable Path attached;

  /** The analyzer as it was asked for. */
  public String analyzerName() {
    return analyzers.name;
  }

  /** Where attached words are kept unless the user names another place: next to the index. */
  public static Path attachedFile(Path index, String field) {
    Path absolute = index.toAbsolutePath().normalize();
    return absolute.resolveSibling(UserFiles.name(absolute) + "." + field + ".attached");
  }

  /** The model on the field, with the words that are attached to the index. */
  public SemanticField semantic(Workspace workspace, Path index) throws IOException {
    SemanticField field = SemanticField.of(workspace.model(), name, analyzer());
    Path file = attached != null ? attached : attachedFile(index, name);
    if (attached == null && !Files.exists(file)) {
      return field;
    }
    UserFiles.requireFile(file, "make one with 'sbm25 attach'");
    try (Directory directory = UserFiles.folderOf(file)) {
      return field.withAttached(AttachedTerms.read(directory, UserFiles.name(file)));
    } catch (IllegalArgumentException e) {
      throw new UserException(file + ": " + e.getMessage(), e);
    }
  }

  /** BM25 on the field. */
  public RankingSystem bm25(DirectoryReader reader) throws UserException {
    return RankingSystem.bm25(reader, name, analyzer());
  }

  /** Refuses a field that the index does not have. */
  public void requireIn(Path index, DirectoryReader reader) throws UserException {
    Set<String> fields = new TreeSet<>(FieldInfos.getIndexedFields(reader));
    if (reader.numDocs() > 0 && !fields.contains(name)) {
      throw new UserException(
          "%s: no indexed field '%s'; give one of %s as --field".formatted(index, name, fields));
    }
  }

  /** Refuses a field of which none of the first thousand documents has stored text. */
  public void requireStored(Path index, DirectoryReader reader) throws IOException {
    IndexSearcher all = new IndexSearcher(reader);
    requireStored(index, all, all.search(MatchAllDocsQuery.INSTANCE, LOOKED_AT));
  }

  /** Refuses a field of which no hit has stored text. */
  public void requireStored(Path index, IndexSearcher searcher, TopDocs hits) throws IOException {
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
