package org.semanticbm25.eval.cli.command;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.Closeable;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import org.apache.lucene.util.IOUtils;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.cli.option.ContextualOption;
import org.semanticbm25.eval.cli.option.CrossEncoderOption;
import org.semanticbm25.eval.cli.option.FormatOption;
import org.semanticbm25.eval.cli.option.ListsOption;
import org.semanticbm25.eval.cli.option.UserFiles;
import org.semanticbm25.eval.cli.option.Workspace;
import org.semanticbm25.eval.collection.CachedCrossEncoder;
import org.semanticbm25.eval.collection.CollectionIdf;
import org.semanticbm25.eval.collection.CollectionIndexes.OpenIndex;
import org.semanticbm25.eval.collection.Dataset;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.collection.TextIndex;
import org.semanticbm25.eval.measure.Report;
import org.semanticbm25.eval.study.AttentionStudy;
import org.semanticbm25.eval.study.AttentionTimes;
import org.semanticbm25.eval.study.CausalStudy;
import org.semanticbm25.eval.study.ExtractedReport;
import org.semanticbm25.eval.study.LayerDial;
import org.semanticbm25.eval.study.SampledLists;
import org.semanticbm25.eval.study.StudySet;
import org.semanticbm25.eval.study.StudySummary;
import org.semanticbm25.onnx.AtomicFile;
import org.semanticbm25.onnx.attention.AttentionModel;
import org.semanticbm25.onnx.attention.AttentionTaps;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.distill.Extractor;
import org.semanticbm25.onnx.distill.PairSampler;
import org.semanticbm25.onnx.distill.PaperProtocol;
import org.semanticbm25.onnx.distill.TrainingLists;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.similarity.field.ContextualField;
import org.semanticbm25.similarity.model.ScoringParameters;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sbm25 study}. */
@Command(
    name = "study",
    sortOptions = false,
    description = {
      "Measure how much of a cross-encoder its extracted functions explain.",
      "Fits on training lists, chooses on development lists, reports on the test queries of"
          + " collections in BEIR's layout, with 95 %% intervals over queries. A collection with a"
          + " file bm25.run is reranked from that run. Writes study.md and study.json. A study that"
          + " was stopped goes on where it was.%n"
    })
public final class StudyCommand implements Callable<Integer> {
  @Parameters(arity = "1..*", paramLabel = "DATASET", description = "test collections")
  List<Path> folders;

  @Mixin ListsOption lists;

  /** Which heads take part where thirteen do. */
  enum Heads {
    FOUND,
    PAPER
  }

  @Option(
      names = "--heads",
      paramLabel = "NAME",
      defaultValue = "found",
      description =
          "matching heads: found, or paper, those that the paper names for ms-marco-MiniLM-L-12-v2"
              + " (default: found)")
  Heads heads;

  @Option(
      names = "--idf",
      paramLabel = "TSV",
      description =
          "lines 'word<TAB>IDF' to report the IDF direction's correlation with, and to score with"
              + " where a collection has a bm25.run: it may hold its candidates only")
  @Nullable Path idf;

  @Option(
      names = "--causal",
      description =
          "also edit the embedding of a term of some queries, along the IDF direction and others,"
              + " and tell what that changes")
  boolean causal;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "DIR",
      description = "folder for study.md and study.json (default: study in the home folder)")
  @Nullable Path output;

  @Option(
      names = "--sample",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "queries of a collection at most, drawn at random; 0 for all (default: ${DEFAULT-VALUE})")
  int sample;

  @Option(
      names = "--no-contextual",
      description = "leave out the contextual system, for which an encoder reads the passages")
  boolean noContextual;

  @Mixin FormatOption format;

  @Mixin ContextualOption contextual;
  @Mixin CrossEncoderOption crossEncoder;
  @Mixin Workspace workspace;
  @Spec CommandSpec spec;

  private final SequencedMap<String, Report> reports = new LinkedHashMap<>();
  private final List<Closeable> opened = new ArrayList<>();

  @Override
  public Integer call() throws IOException {
    check();
    TrainingLists training = lists.read();
    NeuralModel model = crossEncoder.model(workspace.home);
    Map<String, Double> idfTable = idf == null ? null : CollectionIdf.readTable(idf);
    if (idfTable != null) {
      add(idfDirection(model, idfTable));
    }
    Path folder = output != null ? output : workspace.home.resolve("study");
    Path samples = folder.resolve(model.sha256().substring(0, 12) + ".samples");
    try (CachedCrossEncoder encoder = crossEncoder.openCached(workspace.home);
        PairSampler sampler = new PairSampler(encoder.encoder(), encoder, samples);
        Terminal progress = new Terminal()) {
      // what the model is unfit for is told before the work begins
      Optional<CausalStudy> edits = causal ? Optional.of(edits(model, idfTable)) : Optional.empty();
      List<Integer> given = heads == Heads.PAPER ? paperHeads(sampler.taps()) : List.of();
      SampledLists sampled = SampledLists.sample(training, sampler, progress);
      List<StudySet> sets = sets(idfTable, sampler, progress);
      Map<String, RankingSystem> inContext = noContextual ? Map.of() : contextual(sets);
      AttentionStudy study =
          new AttentionStudy(
              sampler.taps().layers(),
              sampler.taps().heads(),
              Extractor.idfByToken(model),
              sampled.train(),
              sampled.development(),
              given);
      study.heads(model, sampler.taps(), sampled, progress).forEach(this::add);
      study(study, encoder.encoder(), sets, inContext, sampled.tuneBm25(workspace.indexes()));
      if (edits.isPresent()) {
        for (StudySet set : sets) {
          add(edits.get().of(set, progress));
        }
      }
    } finally {
      IOUtils.close(opened);
    }
    write(folder);
    return 0;
  }

  /** Refuses wrong options and sets before the work begins. */
  private void check() throws IOException {
    if (sample < 0) {
      throw new UserException("--sample " + sample + ": must be 0 or more");
    }
    if (!noContextual) {
      contextual.model();
      contextual.storedTerms();
    }
    Map<String, Path> names = new LinkedHashMap<>();
    for (Path set : folders) {
      Path other = names.put(Dataset.read(set, "test").name(), set);
      if (other != null) {
        throw new UserException(
            "%s, %s: have the same name; rename one of the folders".formatted(other, set));
      }
    }
    if (output != null) {
      UserFiles.requireWritableFolder(output);
    }
  }

  private CausalStudy edits(NeuralModel model, @Nullable Map<String, Double> idfTable)
      throws IOException {
    CausalStudy edits = new CausalStudy(model, idfTable);
    opened.add(edits);
    return edits;
  }

  private List<StudySet> sets(
      @Nullable Map<String, Double> idfTable, PairSampler sampler, Terminal progress)
      throws IOException {
    Optional<CollectionIdf> collection =
        idfTable == null
            ? Optional.empty()
            : Optional.of(new CollectionIdf(idfTable, StudySet.ANALYZER));
    List<StudySet> sets = new ArrayList<>();
    for (Path folder : folders) {
      StudySet set =
          StudySet.read(
              folder,
              sample,
              collection,
              workspace.indexes(),
              workspace.model(),
              sampler,
              progress);
      opened.add(set);
      sets.add(set);
    }
    return sets;
  }

  /** The contextual system on the candidates of each set, by the set's name. */
  private Map<String, RankingSystem> contextual(List<StudySet> sets) throws IOException {
    Map<String, RankingSystem> systems = new LinkedHashMap<>();
    ContextualField field = contextual.field(TextIndex.CONTENTS, StudySet.ANALYZER);
    for (StudySet set : sets) {
      try (OpenIndex candidates = set.candidateIndex(workspace.indexes())) {
        OpenIndex index = contextual.enriched(candidates, StudySet.ANALYZER, workspace.home);
        opened.add(index);
        systems.put(set.name(), set.contextualScorer(index, field));
      }
    }
    return systems;
  }

  private static List<Integer> paperHeads(AttentionTaps taps) throws UserException {
    List<Integer> numbers = new ArrayList<>();
    for (int[] head : PaperProtocol.HEADS_OF_MINILM_L12) {
      if (head[0] >= taps.layers() || head[1] >= taps.heads()) {
        throw new UserException(
            "--heads paper: the model has %d layers of %d heads, so no head %d.%d; let them be found"
                .formatted(taps.layers(), taps.heads(), head[0], head[1]));
      }
      numbers.add(head[0] * taps.heads() + head[1]);
    }
    return numbers;
  }

  private void study(
      AttentionStudy study,
      CrossEncoder encoder,
      List<StudySet> sets,
      Map<String, RankingSystem> inContext,
      ScoringParameters bm25)
      throws IOException {
    Report protocol = study.paperProtocol(sets);
    Report split = study.splitByQuery(sets, bm25.k1(), bm25.b());
    Report scorers = ExtractedReport.of(sets, inContext, bm25.k1(), bm25.b());
    Report summary = StudySummary.of(sets, split, protocol, scorers);
    reports.putFirst(summary.dataset(), summary);
    add(protocol);
    add(split);
    add(scorers);
    add(study.controls().report(sets));
    NeuralModel model = encoder.model();
    AttentionModel extracted = study.extractor().extract(model);
    double[] times =
        AttentionTimes.measure(encoder, model, extracted, StudySet.timed(sets).texts());
    add(LayerDial.report(sets, extracted, times));
  }

  private static Report idfDirection(NeuralModel model, Map<String, Double> reference)
      throws IOException {
    Extractor.IdfAgreement agreement = Extractor.idfAgreement(model, reference);
    Report report = new Report("IDF direction of the word embeddings");
    report.put("U0, the first singular vector", "r", agreement.singular());
    report.put("least squares, held-out words", "r", agreement.leastSquares());
    report.put("U0, the first singular vector", "component, median", agreement.component());
    report.put("whole embeddings", "length, median", agreement.length());
    return report;
  }

  private void add(Report report) {
    reports.put(report.dataset(), report);
    Terminal.say("done: %s", report.dataset());
  }

  private void write(Path folder) throws IOException {
    Map<String, Map<String, Map<String, Double>>> tables = new LinkedHashMap<>();
    StringBuilder markdown = new StringBuilder("# Study\n");
    reports.forEach(
        (title, report) -> {
          tables.put(title, report.systems());
          markdown.append("\n## ").append(title).append("\n\n").append(report.markdown());
        });
    String json =
        new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(tables);
    write(folder.resolve("study.md"), markdown.toString());
    write(folder.resolve("study.json"), json);
    PrintWriter out = spec.commandLine().getOut();
    out.println(format.value == Report.Format.JSON ? json : markdown);
    out.flush();
    Terminal.say("wrote %s and study.json", folder.resolve("study.md"));
  }

  private static void write(Path file, String text) throws IOException {
    AtomicFile.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
  }
}
