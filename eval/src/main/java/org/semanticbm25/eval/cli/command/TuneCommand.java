package org.semanticbm25.eval.cli.command;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.cli.option.UserFiles;
import org.semanticbm25.eval.cli.option.Workspace;
import org.semanticbm25.eval.collection.CollectionIndexes.OpenIndex;
import org.semanticbm25.eval.collection.Dataset;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.collection.Run;
import org.semanticbm25.eval.collection.TextIndex;
import org.semanticbm25.eval.measure.Measure;
import org.semanticbm25.onnx.distill.Tuner;
import org.semanticbm25.onnx.hub.Digests;
import org.semanticbm25.similarity.field.SemanticField;
import org.semanticbm25.similarity.model.ScoringParameters;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sbm25 tune}. */
@Command(
    name = "tune",
    sortOptions = false,
    description = {
      "Choose the scoring parameters on training or development queries.",
      "Coordinate ascent over a grid; the objective is the mean over the collections of nDCG@10."
          + " This is how the defaults were chosen.%n"
    })
public final class TuneCommand implements Callable<Integer> {
  @Parameters(
      arity = "1..*",
      paramLabel = "DATASET:SPLIT",
      description =
          "a folder in BEIR's layout, and the judgements to use, as in data/scifact:train")
  List<String> collections;

  @Option(
      names = "--queries",
      paramLabel = "N",
      defaultValue = "1000",
      description = "use the first N queries of each collection (default: 1000)")
  int limit;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "also write the model with these parameters to a file")
  @Nullable Path output;

  @Mixin Workspace workspace;
  @Spec CommandSpec spec;

  private record Collection(Dataset dataset, OpenIndex index, SemanticField field) {}

  @Override
  public Integer call() throws IOException {
    if (limit < 1) {
      throw new UserException("--queries " + limit + ": must be 1 or more");
    }
    if (output != null) {
      UserFiles.requireWritable(output);
    }
    Analyzer analyzer = new EnglishAnalyzer();
    List<Collection> prepared = new ArrayList<>();
    try {
      for (String collection : collections) {
        prepared.add(prepare(collection, analyzer));
      }
      ScoringParameters best =
          new Tuner(Tuner.SEMANTIC_GRID)
              .ascend(workspace.model().parameters(), p -> objective(prepared, p));
      spec.commandLine().getOut().println(best);
      spec.commandLine().getOut().flush();
      if (output != null) {
        Workspace.write(workspace.model().withParameters(best), output);
        Terminal.say("wrote %s", output);
      }
    } finally {
      for (Collection collection : prepared) {
        collection.index.close();
      }
    }
    return 0;
  }

  private Collection prepare(String name, Analyzer analyzer) throws IOException {
    int colon = name.lastIndexOf(':');
    if (colon < 1) {
      throw new UserException(name + ": not DATASET:SPLIT, as in data/scifact:train");
    }
    Dataset all = Dataset.read(Path.of(name.substring(0, colon)), name.substring(colon + 1));
    Set<String> some = all.queries().keySet().stream().limit(limit).collect(Collectors.toSet());
    return new Collection(
        all.only(some),
        workspace
            .indexes()
            .open(all.name(), Digests.sha256(all.corpus()), analyzer, all::forEachPassage),
        SemanticField.of(workspace.model(), TextIndex.CONTENTS, analyzer));
  }

  private double objective(List<Collection> prepared, ScoringParameters parameters)
      throws IOException {
    double sum = 0;
    StringBuilder line = new StringBuilder();
    for (Collection collection : prepared) {
      SemanticField semantic = collection.field.withParameters(parameters);
      Run run =
          RankingSystem.semantic(collection.index.reader(), semantic).run(collection.dataset, 10);
      double value = Measure.nDCG(10).mean(collection.dataset.qrels(), run);
      line.append(String.format("  %s %.4f", collection.dataset.name(), value));
      sum += value;
    }
    double mean = sum / prepared.size();
    Terminal.say("%.4f%s  %s", mean, line, parameters);
    return mean;
  }
}
