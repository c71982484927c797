package org.semanticbm25.eval.cli.demo;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.index.DirectoryReader;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.cli.option.ContextualOption;
import org.semanticbm25.eval.cli.option.CrossEncoderOption;
import org.semanticbm25.eval.cli.option.FormatOption;
import org.semanticbm25.eval.cli.option.Workspace;
import org.semanticbm25.eval.collection.CachedCrossEncoder;
import org.semanticbm25.eval.collection.CollectionIndexes.OpenIndex;
import org.semanticbm25.eval.collection.Dataset;
import org.semanticbm25.eval.collection.Passage;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.collection.Records;
import org.semanticbm25.eval.collection.Run.Hit;
import org.semanticbm25.eval.collection.TextIndex;
import org.semanticbm25.eval.compare.Comparer;
import org.semanticbm25.eval.compare.Comparison;
import org.semanticbm25.eval.compare.ComparisonFiles;
import org.semanticbm25.eval.compare.NeuralSystems;
import org.semanticbm25.eval.compare.Subject;
import org.semanticbm25.eval.measure.Evaluation;
import org.semanticbm25.eval.measure.Measure;
import org.semanticbm25.eval.measure.Report;
import org.semanticbm25.onnx.AtomicFile;
import org.semanticbm25.onnx.hub.Digests;
import org.semanticbm25.similarity.field.SemanticField;
import org.semanticbm25.similarity.search.SoftTermQuery;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code sbm25 demo}. */
@Command(
    name = "demo",
    sortOptions = false,
    description = {
      "Ask questions about Lucene of Lucene's own documentation.",
      "Indexes the Javadoc of every class and method of lucene-core, answers 104 questions with"
          + " BM25, semantic BM25, contextual soft terms and the cross-encoder, and measures them"
          + " against graded judgements.%n"
    })
public final class DemoCommand implements Callable<Integer> {
  private static final String NAME = "lucene-javadoc";
  private static final String A_SOURCE_FILE = "/org/apache/lucene/index/IndexWriter.java";
  private static final int DEPTH = 100;
  private static final int RERANKED = 20;
  private static final int SHOWN = 3;
  // of an hour of a core
  private static final double PRICE = 0.05;
  private static final Map<String, Object> SETTINGS =
      Map.of("collection", "the Javadoc of lucene-core");

  @Mixin FormatOption format;

  @Mixin Workspace workspace;
  @Mixin CrossEncoderOption crossEncoder;
  @Mixin ContextualOption contextual;
  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Path sources = sourcesJar();
    Dataset dataset = dataset(sources);
    Analyzer analyzer = new EnglishAnalyzer();
    try (CachedCrossEncoder encoder = crossEncoder.openCached(workspace.home);
        OpenIndex index =
            workspace
                .indexes()
                .open(
                    NAME,
                    Digests.sha256(sources),
                    analyzer,
                    consumer -> {
                      for (Passage passage : JavadocCorpus.read(sources)) {
                        consumer.accept(passage);
                      }
                    });
        OpenIndex enriched = contextual.enriched(index, analyzer, workspace.home)) {
      RankingSystem semantic =
          RankingSystem.semantic(
              enriched.reader(), SemanticField.of(workspace.model(), TextIndex.CONTENTS, analyzer));
      Comparer comparer = compare(dataset, enriched, analyzer, semantic, encoder);
      Comparison.Collection result = comparer.result(1, PRICE);
      Evaluation evaluation = new Evaluation(dataset, 1);
      comparer.runs().forEach(evaluation::add);
      if (format.value == Report.Format.TABLE) {
        printIntroduction(index, dataset);
      }
      report(evaluation, result).print(spec.commandLine().getOut(), format.value);
      if (format.value == Report.Format.TABLE) {
        printChanges(dataset, evaluation, semantic);
      }
      Path page = workspace.home.resolve(NAME).resolve("report.html");
      ComparisonFiles.write(new Comparison(SETTINGS, List.of(result), null), page);
      Terminal.say("index: %s%nreport: %s", index.place(), page);
      evaluation.write(workspace.home.resolve("runs").resolve(NAME));
    }
    return 0;
  }

  private Comparer compare(
      Dataset dataset,
      OpenIndex enriched,
      Analyzer analyzer,
      RankingSystem semantic,
      CachedCrossEncoder encoder)
      throws IOException {
    DirectoryReader reader = enriched.reader();
    Subject subject =
        Subject.of(dataset, dataset.queries().size(), reader, TextIndex.CONTENTS, analyzer, null);
    try (Terminal progress = new Terminal()) {
      Comparer comparer = new Comparer(subject, DEPTH, RERANKED, progress);
      comparer.add(RankingSystem.bm25(reader, TextIndex.CONTENTS, analyzer));
      comparer.add(semantic);
      comparer.add(
          RankingSystem.contextual(reader, contextual.field(TextIndex.CONTENTS, analyzer)));
      NeuralSystems.addTo(comparer, encoder);
      return comparer;
    }
  }

  private static Report report(Evaluation evaluation, Comparison.Collection result) {
    Report report = evaluation.report();
    for (Comparison.SystemResult system : result.systems()) {
      if (system.millis() != null) {
        report.put(system.name(), "ms", system.millis());
      }
    }
    return report;
  }

  static Path sourcesJar() throws IOException {
    URL url = DemoCommand.class.getResource(A_SOURCE_FILE);
    if (url == null) {
      throw new UserException("the sources jar of lucene-core is not on the class path");
    }
    return Path.of(((JarURLConnection) url.openConnection()).getJarFile().getName());
  }

  /** Queries and judgements are resources of ours, unpacked beside the other files we make. */
  private Dataset dataset(Path corpus) throws IOException {
    Path folder = workspace.home.resolve(NAME);
    Path qrels = unpack("qrels.tsv", folder);
    Map<String, String> queries = new LinkedHashMap<>();
    Records.forEach(
        unpack("queries.jsonl", folder), query -> queries.put(query.id(), query.text()));
    return new Dataset(NAME, corpus, queries, Dataset.readQrels(qrels), Set.of());
  }

  private static Path unpack(String resource, Path folder) throws IOException {
    Path file = folder.resolve(resource);
    try (InputStream in = DemoCommand.class.getResourceAsStream(resource)) {
      AtomicFile.write(file, in::transferTo);
    }
    return file;
  }

  private void printIntroduction(OpenIndex index, Dataset dataset) {
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "%d passages of Lucene's Javadoc, %d questions. semantic and contextual are approximations"
            + " made of a neural model; they run no neural network at query time. The cross-encoder is"
            + " a neural model, and reranks %d hits of bm25; '+ bm25' adds a part of bm25's score.%n%n",
        index.reader().numDocs(), dataset.queries().size(), RERANKED);
  }

  /** The queries whose nDCG@10 changed most, for better or worse, and why. */
  private void printChanges(Dataset dataset, Evaluation evaluation, RankingSystem semantic) {
    Measure measure = Measure.nDCG(10);
    Map<String, Double> before = measure.perQuery(dataset.qrels(), evaluation.run("bm25"));
    Map<String, Double> after = measure.perQuery(dataset.qrels(), evaluation.run("semantic"));
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "%nWhere the ranking changed most. A line 'term ~ soft terms' shows what counts for a term of"
            + " the query, as the index has it, and how much:%n");
    dataset.queries().keySet().stream()
        .map(query -> new Change(query, value(before, query), value(after, query)))
        .sorted(Comparator.comparingDouble(change -> -Math.abs(change.after - change.before)))
        .limit(SHOWN)
        .forEach(change -> print(out, change, dataset.query(change.query), evaluation, semantic));
    out.println();
    out.flush();
  }

  /** The nDCG@10 of a query by BM25 and by semantic BM25. */
  private record Change(String query, double before, double after) {}

  private static double value(Map<String, Double> values, String query) {
    return Objects.requireNonNull(values.get(query), () -> "no judgements of query " + query);
  }

  private void print(
      PrintWriter out, Change change, String text, Evaluation evaluation, RankingSystem semantic) {
    out.printf(
        Locale.ROOT, "%n  \"%s\"  nDCG@10 %.3f -> %.3f%n", text, change.before, change.after);
    printTop(evaluation, "bm25", change.query);
    printTop(evaluation, "semantic", change.query);
    SoftTermQuery.in(semantic.query(text)).forEach(term -> printSoftTerms(out, term));
  }

  private void printTop(Evaluation evaluation, String system, String query) {
    List<Hit> hits = evaluation.run(system).hits().getOrDefault(query, List.of());
    spec.commandLine()
        .getOut()
        .printf("    first by %-8s  %s%n", system, hits.isEmpty() ? "-" : hits.get(0).id());
  }

  private static void printSoftTerms(PrintWriter out, SoftTermQuery term) {
    String soft =
        term.getSoftTerms().stream()
            .map(s -> String.format("%s %.2f", s.term().text(), s.weight()))
            .collect(Collectors.joining(", "));
    out.printf("    %s ~ %s%n", term.getTerm().text(), soft.isEmpty() ? "-" : soft);
  }
}
