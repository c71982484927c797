package org.semanticbm25.eval.cli.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.apache.lucene.index.DirectoryReader;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.cli.option.FieldOption;
import org.semanticbm25.eval.cli.option.Workspace;
import org.semanticbm25.eval.collection.CollectionIndexes;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.collection.Run.Hit;
import org.semanticbm25.eval.collection.SingleTerm;
import org.semanticbm25.similarity.field.SemanticField;
import org.semanticbm25.similarity.model.ScoringParameters;
import org.semanticbm25.similarity.model.SemanticBM25Model;
import org.semanticbm25.similarity.model.WordEdit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sbm25 edit}. */
@Command(
    name = "edit",
    sortOptions = false,
    description = {
      "Raise, lower or block words in a model file, or change the numbers of its function.",
      "A factor above 1 makes a word count more, below 1 less, and 0 blocks it, in queries and as a"
          + " soft match. The file keeps a record of its edits.%n"
    })
public final class EditCommand implements Callable<Integer> {
  @Parameters(
      arity = "0..*",
      paramLabel = "WORD=FACTOR",
      description = "as in laptop=2 or casino=0; of several for a word the last counts")
  Map<String, Float> factors = new LinkedHashMap<>();

  @Option(names = "--k1", paramLabel = "X", description = "saturation, 0 or more")
  @Nullable Float k1;

  @Option(names = "--b", paramLabel = "X", description = "length normalisation, 0 to 1")
  @Nullable Float b;

  @Option(names = "--soft-terms", paramLabel = "N", description = "most soft terms of a query term")
  @Nullable Integer softTerms;

  @Option(
      names = "--threshold",
      paramLabel = "X",
      description = "least cosine of a soft match, 0 to below 1")
  @Nullable Float threshold;

  @Option(
      names = "--idf-blend",
      paramLabel = "X",
      description = "share of the model's IDF against the collection's, 0 to 1")
  @Nullable Float idfBlend;

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "FILE",
      description = "the model file to write; may be the one that is edited")
  Path output;

  @Option(
      names = "--preview",
      paramLabel = "QUERY",
      description = "show the hits of a query before and after; needs --index")
  @Nullable String preview;

  @Option(names = "--index", paramLabel = "DIR", description = "the index to search for --preview")
  @Nullable Path index;

  @Mixin FieldOption field;

  @Option(names = "-n", paramLabel = "N", defaultValue = "10", description = "hits (default: 10)")
  int count;

  @Mixin Workspace workspace;
  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if ((preview == null) != (index == null)) {
      throw new UserException("--preview and --index: give both or neither");
    }
    if (count < 1) {
      throw new UserException("-n " + count + ": must be 1 or more");
    }
    if (factors.isEmpty()
        && Stream.of(k1, b, softTerms, threshold, idfBlend).allMatch(Objects::isNull)) {
      throw new UserException("nothing to change; give WORD=FACTOR, or a number as in --k1 0.9");
    }
    requireTerms();
    String now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    List<WordEdit> edits = new ArrayList<>();
    factors.forEach((word, factor) -> edits.add(new WordEdit(word, factor, "edit", now)));
    SemanticBM25Model edited =
        workspace.model().withParameters(parameters(workspace.model())).withEdits(edits);
    if (preview != null && index != null) {
      preview(index, preview, edited.parameters(), edits);
    }
    Workspace.write(edited, output);
    Terminal.say("wrote %s: %d edits in all", output, edited.edits().size());
    return 0;
  }

  /** Refuses a word that is none to the analyzer, or several. */
  private void requireTerms() throws UserException {
    for (String word : factors.keySet()) {
      if (!SingleTerm.isOne(field.analyzer(), field.name, word)) {
        throw new UserException(
            "%s: analyzer '%s' makes no single term of it; give one word that is not a stop word"
                .formatted(word, field.analyzerName()));
      }
    }
  }

  private ScoringParameters parameters(SemanticBM25Model model) {
    ScoringParameters former = model.parameters();
    return new ScoringParameters(
        Objects.requireNonNullElse(k1, former.k1()),
        Objects.requireNonNullElse(b, former.b()),
        Objects.requireNonNullElse(threshold, former.threshold()),
        former.exponent(),
        former.scale(),
        Objects.requireNonNullElse(softTerms, former.maxSoftTerms()),
        Objects.requireNonNullElse(idfBlend, former.idfBlend()),
        former.weightExponent());
  }

  private void preview(Path place, String query, ScoringParameters parameters, List<WordEdit> edits)
      throws IOException {
    try (DirectoryReader reader = CollectionIndexes.openIndex(place)) {
      field.requireIn(place, reader);
      SemanticField semantic = field.semantic(workspace, place);
      List<Hit> before = RankingSystem.semantic(reader, semantic).search(query, count);
      List<Hit> after =
          RankingSystem.semantic(reader, semantic.withParameters(parameters).withEdits(edits))
              .search(query, count);
      List<String> ranked = before.stream().map(Hit::id).toList();
      PrintWriter out = spec.commandLine().getOut();
      out.printf("%4s  %6s  %8s  %s%n", "rank", "before", "score", "id");
      for (int i = 0; i < after.size(); i++) {
        Hit hit = after.get(i);
        int was = ranked.indexOf(hit.id());
        out.printf("%4d  %6s  %8.4f  %s%n", i + 1, was < 0 ? "-" : was + 1, hit.score(), hit.id());
      }
      for (Hit hit : before) {
        if (after.stream().noneMatch(h -> h.id().equals(hit.id()))) {
          out.printf("%4s  %6d  %8s  %s%n", "-", ranked.indexOf(hit.id()) + 1, "-", hit.id());
        }
      }
      out.flush();
    }
  }
}
