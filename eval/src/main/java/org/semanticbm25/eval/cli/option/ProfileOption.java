package org.semanticbm25.eval.cli.option;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.util.IOSupplier;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.collection.SingleTerm;
import org.semanticbm25.eval.collection.TextFile;
import org.semanticbm25.similarity.field.ContextualField;
import org.semanticbm25.similarity.field.SemanticField;
import org.semanticbm25.similarity.model.Profile;
import picocli.CommandLine.Option;

/** How much words count for whoever asks. */
public final class ProfileOption {
  @Option(
      names = "--profile",
      paramLabel = "FILE",
      description =
          "lines 'word=factor' that raise words of a query, lower them or, with 0, block them;"
              + " several files multiply")
  List<Path> files = new ArrayList<>();

  private final List<Profile> profiles = new ArrayList<>();

  /** Whether there are any. */
  public boolean isGiven() {
    return !files.isEmpty();
  }

  /** The files, in the order in which they were given. */
  public List<Path> files() {
    return files;
  }

  /** Reads the profiles, and refuses a word that is none to the analyzer, or several. */
  public void read(String field, Analyzer analyzer) throws IOException {
    for (Path file : files) {
      Profile profile = Profile.parse(file.toString(), TextFile.read(file));
      for (String word : profile.factors().keySet()) {
        if (!SingleTerm.isOne(analyzer, field, word)) {
          throw new UserException(
              "%s: the analyzer makes no single term of '%s'; give words that are not stop words, one by one"
                  .formatted(file, word));
        }
      }
      profiles.add(profile);
    }
  }

  /**
   * Semantic BM25, and the same with the profiles if there are any.
   *
   * @param searchers makes one for each
   */
  public List<RankingSystem> semantic(IOSupplier<IndexSearcher> searchers, SemanticField field)
      throws IOException {
    return systems(
        RankingSystem.semantic(searchers.get(), field),
        () -> RankingSystem.semantic(searchers.get(), on(field)));
  }

  /**
   * The contextual system, and the same with the profiles if there are any.
   *
   * @param searchers makes one for each
   */
  public List<RankingSystem> contextual(IOSupplier<IndexSearcher> searchers, ContextualField field)
      throws IOException {
    return systems(
        RankingSystem.contextual(searchers.get(), field),
        () -> RankingSystem.contextual(searchers.get(), on(field)));
  }

  private List<RankingSystem> systems(RankingSystem plain, IOSupplier<RankingSystem> profiled)
      throws IOException {
    return isGiven()
        ? List.of(plain, profiled.get().named(plain.name() + RankingSystem.PROFILE))
        : List.of(plain);
  }

  /** A field with the profiles that were read. */
  public SemanticField on(SemanticField field) {
    SemanticField profiled = field;
    for (Profile profile : profiles) {
      profiled = profiled.withProfile(profile);
    }
    return profiled;
  }

  /** A field with the profiles that were read. */
  public ContextualField on(ContextualField field) {
    ContextualField profiled = field;
    for (Profile profile : profiles) {
      profiled = profiled.withProfile(profile);
    }
    return profiled;
  }
}
