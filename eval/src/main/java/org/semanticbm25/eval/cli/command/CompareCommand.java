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
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.apache.lucene.search.IndexSearcher;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.cli.option.AttentionFileOption;
import org.semanticbm25.eval.cli.option.CrossEncoderOption;
import org.semanticbm25.eval.cli.option.TargetOption;
import org.semanticbm25.eval.cli.option.TargetOption.Target;
import org.semanticbm25.eval.cli.option.UserFiles;
import org.semanticbm25.eval.cli.option.Workspace;
import org.semanticbm25.eval.collection.CollectionIdf;
import org.semanticbm25.eval.collection.Dataset;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.collection.Run;
import org.semanticbm25.eval.compare.Comparer;
import org.semanticbm25.eval.compare.Comparison;
import org.semanticbm25.eval.compare.ComparisonFiles;
import org.semanticbm25.eval.compare.NeuralSystems;
import org.semanticbm25.eval.compare.Subject;
import org.semanticbm25.onnx.attention.AttentionModel;
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
      "Writes one HTML file that needs no network, the same numbers as JSON and CSV, and tables in"
          + " Markdown, by the length of the query too.%n"
    })
public final class CompareCommand implements Callable<Integer> {
  private static final int DEPTH = 1000;
  private static final String FIRST_PASS = "bm25.run";
  private static final Pattern OWN_NAMES =
      Pattern.compile("bm25|semantic|contextual|attention-\\d+|cross-encoder( \\+ bm25)?");

  @Parameters(
      arity = "1..*",
      paramLabel = "TARGET",
      description = TargetOption.DESCRIPTION + ", and perhaps bm25.run, a first pass to rerank")
  List<Path> targets;

  @Option(
      names = "--rerank",
      paramLabel = "N",
      defaultValue = "30",
      description = "hits of BM25 that the neural systems read (default: ${DEFAULT-VALUE})")
  int pool;

  @Option(
      names = "--system",
      paramLabel = "NAME=RUN",
      description = "a TREC run of another engine to show beside; for one target only")
  Map<String, Path> files = new LinkedHashMap<>();

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
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description =
          "the page to write, as in report.html; report.json, .csv and .md go beside it"
              + " (default: comparison/comparison.html in the home folder)")
  @Nullable Path output;

  private @Nullable Map<String, Double> idfTable;

  @Mixin TargetOption target;
  @Mixin Workspace workspace;
  @Mixin CrossEncoderOption crossEncoder;
  @Mixin AttentionFileOption attention;
  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    check();
    Path page =
        output != null ? output : workspace.home.resolve("comparison").resolve("comparison.html");
    UserFiles.requireWritable(page);
    // wrong files are told before the work begins
    List<Input> inputs = new ArrayList<>();
    for (Path place : targets) {
      inputs.add(read(place));
    }
    idfTable = idf == null ? null : CollectionIdf.readTable(idf);
    List<Comparison.Collection> collections = new ArrayList<>();
    Comparison comparison;
    try (NeuralSystems neural = neural()) {
      for (Input input : inputs) {
        collections.add(compare(input, neural));
      }
      comparison = new Comparison(settings(), collections, neural.heads());
    }
    PrintWriter out = spec.commandLine().getOut();
    collections.forEach(collection -> out.println(ComparisonFiles.table(collection) + "\n"));
    out.println(ComparisonFiles.lengthTable(collections));
    out.flush();
    ComparisonFiles.write(comparison, page);
    Terminal.say("wrote %s", page);
    return 0;
  }

  private void check() throws UserException {
    if (pool < 1 || relevant < 1) {
      throw new UserException(
          "--rerank %d, --relevant %d: must be 1 or more".formatted(pool, relevant));
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
    for (Path place : targets) {
      target.check(place);
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

  /**
   * What a target has.
   *
   * @param all queries and judgements
   * @param drawn those that are asked
   * @param given a first pass; null if BM25 searches
   * @param others runs of other engines
   */
  private record Input(
      Path place, Dataset all, Dataset drawn, @Nullable Run given, Map<String, Run> others) {}

  private Input read(Path place) throws IOException {
    Dataset all = target.read(place);
    Dataset drawn = all.only(target.drawn(all.queries().keySet()));
    Path firstPass = place.resolve(FIRST_PASS);
    Run given =
        !all.qrels().isEmpty() && Files.exists(firstPass) ? run(all, drawn, firstPass) : null;
    Map<String, Run> others = new LinkedHashMap<>();
    for (Map.Entry<String, Path> file : files.entrySet()) {
      others.put(file.getKey(), run(all, drawn, file.getValue()));
    }
    return new Input(place, all, drawn, given, others);
  }

  private Comparison.Collection compare(Input input, NeuralSystems neural) throws IOException {
    Run given = input.given;
    try (Target open = target.open(input.place, input.all, workspace, true);
        Terminal progress = new Terminal()) {
      Subject subject =
          Subject.of(
              input.drawn,
              input.all.queries().size(),
              open.reader(),
              target.field(),
              target.analyzer(),
              given);
      Comparer comparer = new Comparer(subject, DEPTH, pool, progress);
      if (given != null) {
        comparer.addFirstPass("bm25", "the run that is given, " + FIRST_PASS, given);
      } else {
        comparer.add(RankingSystem.bm25(subject.reader(), subject.field(), subject.analyzer()));
      }
      comparer.add(RankingSystem.semantic(searcher(subject), open.semantic()));
      if (open.contextual() != null) {
        comparer.add(RankingSystem.contextual(searcher(subject), open.contextual()));
      }
      neural.addTo(comparer);
      for (Map.Entry<String, Run> other : input.others.entrySet()) {
        comparer.add(other.getKey(), "run file " + files.get(other.getKey()), other.getValue());
      }
      return comparer.result(relevant, price);
    }
  }

  /** The part of a run file that is of the queries that were drawn. */
  private static Run run(Dataset all, Dataset drawn, Path file) throws IOException {
    return all.readRun(file).only(drawn.queries().keySet());
  }

  private IndexSearcher searcher(Subject subject) throws IOException {
    return idfTable == null || subject.firstPass() == null
        ? new IndexSearcher(subject.reader())
        : new CollectionIdf(idfTable, subject.analyzer()).searcher(subject.reader());
  }

  private Map<String, Object> settings() throws IOException {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("made", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    target.describe(settings);
    settings.put("least relevant grade", relevant);
    settings.put("hits that neural systems read", pool);
    settings.put("price of a core hour", price);
    settings.put("cores", Runtime.getRuntime().availableProcessors());
    settings.put("static model", workspace.model().id());
    settings.put("cross-encoder", crossEncoder.model(workspace.home).name());
    return settings;
  }
}
