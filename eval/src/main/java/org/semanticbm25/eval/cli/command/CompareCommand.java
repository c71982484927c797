package org.semanticbm25.eval.cli.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.search.IndexSearcher;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.cli.option.AttentionFileOption;
import org.semanticbm25.eval.cli.option.ContextualOption;
import org.semanticbm25.eval.cli.option.CrossEncoderOption;
import org.semanticbm25.eval.cli.option.FieldOption;
import org.semanticbm25.eval.cli.option.Workspace;
import org.semanticbm25.eval.collection.CollectionIdf;
import org.semanticbm25.eval.collection.CollectionIndexes;
import org.semanticbm25.eval.collection.CollectionIndexes.OpenIndex;
import org.semanticbm25.eval.collection.Dataset;
import org.semanticbm25.eval.collection.QueryLog;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.collection.Run;
import org.semanticbm25.eval.collection.TextIndex;
import org.semanticbm25.eval.compare.Comparer;
import org.semanticbm25.eval.compare.Comparison;
import org.semanticbm25.eval.compare.ComparisonFiles;
import org.semanticbm25.eval.compare.NeuralSystems;
import org.semanticbm25.eval.compare.Subject;
import org.semanticbm25.lucene.CrossEncoderRescorer;
import org.semanticbm25.onnx.attention.AttentionModel;
import org.semanticbm25.onnx.hub.Digests;
import org.semanticbm25.similarity.field.ContextualField;
import org.semanticbm25.similarity.field.SemanticField;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sbm25 compare}. */
@Command(
    name = "compare",
    sortOptions = false,
    description = {
      "Compare BM25, the extracted functions and the cross-encoder, and write a page to look at.",
      "On an index with a log of queries: how far each agrees with the cross-encoder, and what it"
          + " costs. On a collection in BEIR's layout also how good each is.",
      "Writes one HTML file that needs no network, and the same numbers as JSON and CSV.%n"
    })
public final class CompareCommand implements Callable<Integer> {
  private static final int DEPTH = 1000;
  private static final String FIRST_PASS = "bm25.run";
  private static final Pattern OWN_NAMES =
      Pattern.compile("bm25|semantic|contextual|attention-\\d+|cross-encoder( \\+ bm25)?");

  @Parameters(
      arity = "1..*",
      paramLabel = "TARGET",
      description =
          "a folder with a Lucene index, or one with corpus.jsonl, queries.jsonl, qrels/ and perhaps"
              + " bm25.run, a first pass to rerank")
  List<Path> targets;

  @Option(
      names = "--queries",
      paramLabel = "FILE",
      description = "queries for an index, one a line")
  @Nullable Path queries;

  @Option(
      names = "--sample",
      paramLabel = "N",
      defaultValue = "50",
      description = "queries of a target at most, drawn at random; 0 for all (default: 50)")
  int sample;

  @Option(
      names = "--rerank",
      paramLabel = "N",
      defaultValue = "50",
      description = "hits of BM25 that the neural systems read (default: 50)")
  int pool;

  @Option(
      names = "--system",
      paramLabel = "NAME=RUN",
      description = "a TREC run of another engine to show beside; for one target only")
  Map<String, Path> files = new LinkedHashMap<>();

  @Option(
      names = "--split",
      paramLabel = "NAME",
      defaultValue = "test",
      description = "judgements of a collection: qrels/NAME.tsv (default: test)")
  String split;

  @Option(
      names = "--relevant",
      paramLabel = "GRADE",
      defaultValue = "1",
      description = "least grade that is relevant in binary measures (default: 1)")
  int relevant;

  @Option(
      names = "--idf",
      paramLabel = "TSV",
      description = "lines 'word<TAB>IDF' of the collections that bm25.run files were made on")
  @Nullable Path idf;

  @Option(
      names = "--layers",
      paramLabel = "K",
      split = ",",
      defaultValue = "2,4",
      description =
          "layers of the cross-encoder after which its attention is compared; 0 leaves it out"
              + " (default: 2,4)")
  Set<Integer> layers = new TreeSet<>();

  @Option(
      names = "--price",
      paramLabel = "P",
      defaultValue = "0.05",
      description = "price of an hour of a core, in any currency (default: 0.05)")
  double price;

  @Option(
      names = "--no-contextual",
      description = "leave out the contextual system, for which an encoder reads all passages")
  boolean noContextual;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description =
          "the page to write, as in report.html; report.json and report.csv go beside it (default:"
              + " comparison/comparison.html in the home folder)")
  @Nullable Path output;

  // read once a command
  private @Nullable Map<String, Double> idfTable;

  @Mixin FieldOption field;
  @Mixin Workspace workspace;
  @Mixin CrossEncoderOption crossEncoder;
  @Mixin AttentionFileOption attention;
  @Mixin ContextualOption contextual;
  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    check();
    List<Comparison.Collection> collections = new ArrayList<>();
    Comparison comparison;
    try (NeuralSystems neural = neural()) {
      for (Path target : targets) {
        collections.add(compare(target, neural));
      }
      comparison = new Comparison(settings(), collections, neural.heads());
    }
    Path page =
        output != null ? output : workspace.home.resolve("comparison").resolve("comparison.html");
    ComparisonFiles.write(comparison, page);
    PrintWriter out = spec.commandLine().getOut();
    collections.forEach(collection -> out.println(ComparisonFiles.table(collection) + "\n"));
    out.flush();
    Terminal.say("wrote %s", page);
    return 0;
  }

  private void check() throws UserException {
    if (sample < 0 || pool < 1 || relevant < 1) {
      throw new UserException(
          "--sample %d, --rerank %d, --relevant %d: must be 0, 1 and 1 or more"
              .formatted(sample, pool, relevant));
    }
    if (!(price >= 0 && Double.isFinite(price))) {
      throw new UserException("--price " + price + ": must be 0 or more, and finite");
    }
    for (String name : files.keySet()) {
      if (OWN_NAMES.matcher(name).matches()) {
        throw new UserException(
            "--system " + name + ": is the name of another system; give one more");
      }
    }
    for (Path target : targets) {
      if (!Files.isDirectory(target)) {
        throw new UserException(
            target + ": no such folder; give a Lucene index, or a collection in BEIR's layout");
      }
      if (queries != null && isCollection(target)) {
        throw new UserException(
            "--queries %s: %s has queries of its own; leave one out".formatted(queries, target));
      }
    }
    if (idf != null && targets.stream().noneMatch(t -> Files.exists(t.resolve(FIRST_PASS)))) {
      throw new UserException("--idf " + idf + ": is for a " + FIRST_PASS + "; no target has one");
    }
    if (!files.isEmpty() && targets.size() > 1) {
      throw new UserException("--system: a run is of one collection; give a single target");
    }
    if (output != null && !output.toString().endsWith(".html")) {
      throw new UserException("-o " + output + ": must end in .html");
    }
  }

  private NeuralSystems neural() throws IOException {
    Set<Integer> cuts = new TreeSet<>(layers);
    cuts.remove(0);
    if (crossEncoder.isGiven() && !attention.hasFile() && !cuts.isEmpty()) {
      Terminal.say("--model without --attention: attention is left out");
      cuts.clear();
    }
    AttentionModel functions = cuts.isEmpty() ? null : attention.read();
    return NeuralSystems.open(
        crossEncoder.openCached(workspace.home), functions, cuts, workspace.home.resolve("scores"));
  }

  private Comparison.Collection compare(Path target, NeuralSystems neural) throws IOException {
    return isCollection(target) ? compareCollection(target, neural) : compareIndex(target, neural);
  }

  private static boolean isCollection(Path target) {
    return Files.exists(target.resolve("corpus.jsonl"))
        || Files.exists(target.resolve("corpus.jsonl.gz"));
  }

  private Comparison.Collection compareIndex(Path place, NeuralSystems neural) throws IOException {
    try (DirectoryReader reader = CollectionIndexes.openIndex(place)) {
      if (queries == null) {
        throw new UserException(
            place + ": is no collection with queries; give --queries, a file with one a line");
      }
      field.requireIn(place, reader);
      Map<String, String> all = QueryLog.read(queries);
      if (all.isEmpty()) {
        throw new UserException(queries + ": is empty; give queries, one a line");
      }
      field.requireStored(place, reader);
      String name = Objects.toString(place.toAbsolutePath().normalize().getFileName(), "root");
      Dataset whole = new Dataset(name, place, all, Map.of(), Set.of());
      return compare(
          whole,
          Subject.of(sampled(whole), all.size(), reader, field.name, field.analyzer(), null),
          field.semantic(workspace, place),
          neural);
    }
  }

  private Comparison.Collection compareCollection(Path folder, NeuralSystems neural)
      throws IOException {
    Dataset all = Dataset.read(folder, split);
    Dataset dataset = sampled(all);
    Path runFile = folder.resolve(FIRST_PASS);
    Run run = Files.exists(runFile) ? all.readRun(runFile).only(dataset.queries().keySet()) : null;
    Analyzer analyzer = field.analyzer();
    try (OpenIndex plain =
            workspace
                .indexes()
                .open(all.name(), Digests.sha256(all.corpus()), analyzer, all::forEachPassage);
        OpenIndex enriched =
            noContextual ? null : contextual.enriched(plain, analyzer, workspace.home)) {
      DirectoryReader reader = enriched != null ? enriched.reader() : plain.reader();
      return compare(
          all,
          Subject.of(dataset, all.queries().size(), reader, TextIndex.CONTENTS, analyzer, run),
          SemanticField.of(workspace.model(), TextIndex.CONTENTS, analyzer),
          neural);
    }
  }

  private Dataset sampled(Dataset all) {
    return sample == 0
        ? all
        : all.only(Set.copyOf(QueryLog.sample(all.queries().keySet(), sample)));
  }

  private Comparison.Collection compare(
      Dataset all, Subject subject, SemanticField semantic, NeuralSystems neural)
      throws IOException {
    Map<String, Run> others = new LinkedHashMap<>();
    for (Map.Entry<String, Path> file : files.entrySet()) {
      others.put(
          file.getKey(), all.readRun(file.getValue()).only(subject.dataset().queries().keySet()));
    }
    try (Terminal progress = new Terminal()) {
      Comparer comparer = new Comparer(subject, DEPTH, pool, progress);
      if (subject.firstPass() != null) {
        comparer.addFirstPass("bm25", "the run that is given, " + FIRST_PASS, subject.firstPass());
      } else {
        comparer.add(RankingSystem.bm25(subject.reader(), subject.field(), subject.analyzer()));
      }
      comparer.add(RankingSystem.semantic(searcher(subject), semantic));
      if (!noContextual && ContextualField.isIn(subject.reader(), subject.field())) {
        comparer.add(
            RankingSystem.contextual(
                searcher(subject),
                contextual.checked(
                    subject.dataset().name(),
                    subject.reader(),
                    subject.field(),
                    subject.analyzer())));
      }
      neural.addTo(comparer);
      for (Map.Entry<String, Run> other : others.entrySet()) {
        comparer.add(other.getKey(), "run file " + files.get(other.getKey()), other.getValue());
      }
      return comparer.result(relevant, price);
    }
  }

  private IndexSearcher searcher(Subject subject) throws IOException {
    return idf == null || subject.firstPass() == null
        ? new IndexSearcher(subject.reader())
        : new CollectionIdf(idfTable(idf), subject.analyzer()).searcher(subject.reader());
  }

  private Map<String, Double> idfTable(Path file) throws IOException {
    if (idfTable == null) {
      idfTable = CollectionIdf.readTable(file);
    }
    return idfTable;
  }

  private Map<String, Object> settings() throws IOException {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("made", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    settings.put("queries at most", sample == 0 ? "all" : sample);
    settings.put("split", split);
    settings.put("least relevant grade", relevant);
    settings.put("field and analyzer", field.name + ", " + field.analyzerName());
    settings.put("hits that neural systems read", pool);
    settings.put("price of a core hour", price);
    settings.put("cores", Runtime.getRuntime().availableProcessors());
    settings.put("static model", workspace.model().id());
    if (!noContextual) {
      settings.put("contextual model", contextual.model().id());
    }
    settings.put("cross-encoder", crossEncoder.model(workspace.home).name());
    settings.put(
        "long queries",
        "more than %s tokens: logit + %s BM25"
            .formatted(CrossEncoderRescorer.LONG_QUERY, CrossEncoderRescorer.LONG_QUERY_WEIGHT));
    return settings;
  }
}
