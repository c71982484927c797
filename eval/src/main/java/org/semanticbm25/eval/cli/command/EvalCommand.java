package org.semanticbm25.eval.cli.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.search.IndexSearcher;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.cli.option.AttentionOption;
import org.semanticbm25.eval.cli.option.ContextualOption;
import org.semanticbm25.eval.cli.option.CrossEncoderOption;
import org.semanticbm25.eval.cli.option.FirstPassOption;
import org.semanticbm25.eval.cli.option.FirstPassOption.FirstPass;
import org.semanticbm25.eval.cli.option.FormatOption;
import org.semanticbm25.eval.cli.option.ProfileOption;
import org.semanticbm25.eval.cli.option.UserFiles;
import org.semanticbm25.eval.cli.option.Workspace;
import org.semanticbm25.eval.collection.CachedCrossEncoder;
import org.semanticbm25.eval.collection.CollectionIdf;
import org.semanticbm25.eval.collection.CollectionIndexes.OpenIndex;
import org.semanticbm25.eval.collection.Dataset;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.collection.Reranker;
import org.semanticbm25.eval.collection.Run;
import org.semanticbm25.eval.collection.TextIndex;
import org.semanticbm25.eval.compare.Overlap;
import org.semanticbm25.eval.measure.Evaluation;
import org.semanticbm25.eval.measure.Measure;
import org.semanticbm25.eval.measure.Report;
import org.semanticbm25.onnx.attention.AttentionScorer;
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

/** {@code sbm25 eval}. */
@Command(
    name = "eval",
    sortOptions = false,
    description = {
      "Measure BM25, semantic BM25, contextual soft terms and a cross-encoder on a collection in"
          + " BEIR's layout.",
      "For the contextual system an encoder reads all passages, once.",
      "The cross-encoder reranks the first hits of BM25 or of another system, and so does the"
          + " attention of its first layers, if --layers is given.",
      "Prints nDCG@10, RR@10, R@100, AP@1000 and Judged@10, with the p-value of a paired"
          + " t-test against BM25 (Holm-corrected), and writes TREC run files.%n"
    })
public final class EvalCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "DATASET",
      description = "folder with corpus.jsonl, queries.jsonl, qrels/")
  Path folder;

  @Option(
      names = "--split",
      paramLabel = "NAME",
      defaultValue = "test",
      description = "judgements to measure on: qrels/NAME.tsv (default: test)")
  String split;

  @Option(
      names = "--run",
      paramLabel = "FILE",
      description = "a TREC run of BM25 to rerank instead of searching: its scores stand for bm25")
  @Nullable Path run;

  @Option(
      names = "--idf",
      paramLabel = "TSV",
      description =
          "lines 'word<TAB>IDF' of the collection that --run was made on, if the corpus holds its"
              + " candidates only")
  @Nullable Path idf;

  @Option(
      names = "--tune-on",
      paramLabel = "NAME",
      description = "also show BM25 with k1 and b chosen on the judgements of qrels/NAME.tsv")
  @Nullable String tuneOn;

  @Option(
      names = "--soft-terms",
      paramLabel = "N",
      description =
          "soft terms of a query term at most: more cost more in a search, and little in reranking"
              + " (default: the model's own)")
  @Nullable Integer softTerms;

  @Option(
      names = "--rerank",
      paramLabel = "N",
      defaultValue = "100",
      description =
          "hits of the first pass that the cross-encoder reranks, 0 to leave it out (default:"
              + " ${DEFAULT-VALUE})")
  int rerank;

  @Option(
      names = "--depth",
      paramLabel = "N",
      defaultValue = "1000",
      description = "hits of a query to rank and to write (default: ${DEFAULT-VALUE})")
  int depth;

  @Option(
      names = "--relevant",
      paramLabel = "GRADE",
      defaultValue = "1",
      description = "least grade that is relevant in binary measures; 2 for TREC DL (default: 1)")
  int relevant;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "DIR",
      description =
          "folder for the run files, which replace those of an earlier call there (default:"
              + " runs/DATASET-SPLIT in the home folder)")
  @Nullable Path output;

  @Option(
      names = "--no-contextual",
      description = "leave out the contextual system, for which an encoder reads all passages")
  boolean noContextual;

  @Mixin FormatOption format;
  @Mixin ProfileOption profile;

  @Mixin Workspace workspace;
  @Mixin CrossEncoderOption crossEncoder;
  @Mixin FirstPassOption firstPass;
  @Mixin AttentionOption attention;
  @Mixin ContextualOption contextual;
  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    check();
    Dataset dataset = Dataset.read(folder, split);
    Analyzer analyzer = new EnglishAnalyzer();
    profile.read(TextIndex.CONTENTS, analyzer);
    String fingerprint = Digests.sha256(dataset.corpus());
    Path runs = output != null ? output : runs(dataset, fingerprint);
    // what is wrong is told before the work begins
    checkRuns(runs);
    Run given = run == null ? null : dataset.readRun(run).first(depth);
    Dataset heldOut = tuneOn == null ? null : Dataset.read(folder, tuneOn);
    CollectionIdf statistics =
        idf == null ? null : new CollectionIdf(CollectionIdf.readTable(idf), analyzer);
    try (CachedCrossEncoder encoder = rerank > 0 ? crossEncoder.openCached(workspace.home) : null;
        AttentionScorer scorer =
            attention.isGiven() ? attention.open(crossEncoder.model(workspace.home)) : null;
        OpenIndex index =
            workspace
                .indexes()
                .open(dataset.name(), fingerprint, analyzer, dataset::forEachPassage);
        OpenIndex enriched =
            noContextual ? null : contextual.enriched(index, analyzer, workspace.home)) {
      Evaluation evaluation = new Evaluation(dataset, relevant);
      List<RankingSystem> systems = new ArrayList<>(semantic(index.reader(), analyzer, statistics));
      if (enriched != null) {
        systems.addAll(
            profile.contextual(
                () -> searcher(enriched.reader(), statistics),
                contextual.field(TextIndex.CONTENTS, analyzer)));
      }
      if (run != null && given != null) {
        checkPassages(run, given, index.reader());
        evaluation.add("bm25", given);
      } else {
        addBm25(evaluation, dataset, heldOut, index.reader(), analyzer);
      }
      try (Terminal progress = new Terminal()) {
        for (RankingSystem system : systems) {
          evaluation.add(
              system.name(),
              given != null
                  ? system.rerank(given, dataset.queries())
                  : system.run(dataset, depth, progress));
        }
      }
      if (encoder != null) {
        rerank(evaluation, dataset, new Reranker(index.reader(), rerank), encoder, scorer);
      }
      Report report = evaluation.report();
      tellOverlap(evaluation, report);
      settings(dataset).forEach(report::set);
      report.print(spec.commandLine().getOut(), format.value);
      evaluation.write(runs);
    }
    return 0;
  }

  /** Refuses a place for run files where they cannot be written, or would replace the user's. */
  private void checkRuns(Path runs) throws IOException {
    UserFiles.requireWritableFolder(runs);
    boolean ofRun = run != null && isSame(runs, run.toAbsolutePath().getParent());
    if (ofRun || isSame(runs, folder)) {
      throw new UserException(
          "-o %s: run files would replace those that are there; give another folder"
              .formatted(runs));
    }
  }

  private static boolean isSame(Path a, @Nullable Path b) throws IOException {
    return b != null && Files.exists(a) && Files.exists(b) && Files.isSameFile(a, b);
  }

  private List<RankingSystem> semantic(
      DirectoryReader reader, Analyzer analyzer, @Nullable CollectionIdf statistics)
      throws IOException {
    SemanticField field = SemanticField.of(workspace.model(), TextIndex.CONTENTS, analyzer);
    return profile.semantic(
        () -> searcher(reader, statistics),
        softTerms == null ? field : field.withMaxSoftTerms(softTerms));
  }

  /** Says how much of a ranking a profile leaves as it was. */
  private static void tellOverlap(Evaluation evaluation, Report report) {
    for (String name : evaluation.runs().keySet()) {
      if (name.endsWith(RankingSystem.PROFILE)) {
        String plain = name.substring(0, name.length() - RankingSystem.PROFILE.length());
        report.put(
            name,
            "RBO without profile",
            Overlap.rankBiased(evaluation.run(plain), evaluation.run(name)));
      }
    }
  }

  /** Of one collection and split, whatever other folders have the same name. */
  private Path runs(Dataset dataset, String fingerprint) {
    return workspace
        .home
        .resolve("runs")
        .resolve("%s-%s-%s".formatted(dataset.name(), split, fingerprint.substring(0, 6)));
  }

  private Map<String, Object> settings(Dataset dataset) throws IOException {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("split", split);
    settings.put("queries", dataset.queries().size());
    settings.put("depth", depth);
    settings.put("relevant", relevant);
    settings.put("reranked", rerank);
    settings.put("bm25", run != null ? run.toString() : "k1 0.9, b 0.4");
    settings.put("semantic", workspace.model().id());
    if (softTerms != null) {
      settings.put("soft terms", softTerms);
    }
    if (!noContextual) {
      settings.put("contextual", contextual.model().id());
      settings.put("stored terms", contextual.storedTerms());
    }
    if (profile.isGiven()) {
      settings.put("profiles", profile.files().stream().map(Path::toString).toList());
    }
    if (rerank > 0) {
      settings.put("cross-encoder", crossEncoder.model(workspace.home).name());
      settings.put("first pass", firstPass.system.toString());
      settings.put("first-pass weight", firstPass.weight);
    }
    return settings;
  }

  private void check() throws UserException {
    if (depth < 1) {
      throw new UserException("--depth " + depth + ": must be 1 or more");
    }
    if (rerank < 0) {
      throw new UserException("--rerank " + rerank + ": must be 0 or more");
    }
    if (relevant < 1) {
      throw new UserException("--relevant " + relevant + ": must be 1 or more");
    }
    if (softTerms != null && softTerms < 0) {
      throw new UserException("--soft-terms " + softTerms + ": must be 0 or more");
    }
    if (rerank == 0 && attention.isGiven()) {
      throw new UserException("--rerank 0: leaves nothing to --layers; give 1 or more");
    }
    if (tuneOn != null && run != null) {
      throw new UserException("--tune-on " + tuneOn + ": BM25 is given by --run; leave one out");
    }
    firstPass.check();
    if (noContextual && firstPass.system == FirstPass.CONTEXTUAL) {
      throw new UserException("--first-pass contextual, --no-contextual: give one of the two");
    }
    if (idf != null && run == null) {
      throw new UserException("--idf " + idf + ": is for reranking; give a --run");
    }
  }

  private void addBm25(
      Evaluation evaluation,
      Dataset dataset,
      @Nullable Dataset heldOut,
      DirectoryReader reader,
      Analyzer analyzer)
      throws IOException {
    if (Files.exists(folder.resolve("bm25.run"))) {
      Terminal.say("%s has a bm25.run; --run reranks it", folder);
    }
    RankingSystem bm25 = RankingSystem.bm25(reader, TextIndex.CONTENTS, analyzer);
    evaluation.add(bm25.name(), bm25.run(dataset, depth));
    if (heldOut != null) {
      evaluation.add("bm25-tuned", tunedBm25(heldOut, reader, analyzer).run(dataset, depth));
    }
  }

  private void checkPassages(Path file, Run given, DirectoryReader reader) throws IOException {
    Set<String> ids = new HashSet<>();
    given.hits().values().forEach(hits -> hits.forEach(hit -> ids.add(hit.id())));
    int known = TextIndex.count(reader, ids);
    if (known == 0) {
      throw new UserException(
          "%s: none of its %d passages, such as '%s', is in %s; give a run of that collection"
              .formatted(file, ids.size(), ids.iterator().next(), folder.resolve("corpus.jsonl")));
    }
    if (known < ids.size()) {
      Terminal.say(
          "%s: passages that are not in the corpus: %d of %d; they keep their place below the others",
          file, ids.size() - known, ids.size());
    }
  }

  private static IndexSearcher searcher(DirectoryReader reader, @Nullable CollectionIdf statistics)
      throws IOException {
    return statistics == null ? new IndexSearcher(reader) : statistics.searcher(reader);
  }

  private void rerank(
      Evaluation evaluation,
      Dataset dataset,
      Reranker reranker,
      CachedCrossEncoder encoder,
      @Nullable AttentionScorer scorer)
      throws IOException {
    Run first = evaluation.run(firstPass.system.toString());
    CrossEncoderOption.tellCut(encoder.encoder(), dataset.queries().values());
    try (Terminal progress = new Terminal()) {
      evaluation.add(
          "cross-encoder",
          reranker.rerank(first, dataset.queries(), encoder, firstPass.weight, progress));
      if (scorer != null) {
        evaluation.add(
            "attention", reranker.rerank(first, dataset.queries(), scorer::score, 0, progress));
      }
    }
  }

  private RankingSystem tunedBm25(Dataset held, DirectoryReader reader, Analyzer analyzer)
      throws IOException {
    ScoringParameters best =
        new Tuner(Tuner.BM25_GRID)
            .ascend(
                p ->
                    Measure.nDCG(10)
                        .mean(
                            held.qrels(),
                            RankingSystem.bm25(reader, TextIndex.CONTENTS, analyzer, p.k1(), p.b())
                                .run(held, 10)));
    Terminal.say("bm25-tuned: k1=%s b=%s", best.k1(), best.b());
    return RankingSystem.bm25(reader, TextIndex.CONTENTS, analyzer, best.k1(), best.b());
  }
}
