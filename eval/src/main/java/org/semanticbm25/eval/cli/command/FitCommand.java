package org.semanticbm25.eval.cli.command;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.cli.option.CrossEncoderOption;
import org.semanticbm25.eval.cli.option.FieldOption;
import org.semanticbm25.eval.cli.option.FormatOption;
import org.semanticbm25.eval.cli.option.UserFiles;
import org.semanticbm25.eval.cli.option.Workspace;
import org.semanticbm25.eval.collection.CachedCrossEncoder;
import org.semanticbm25.eval.collection.CollectionIndexes;
import org.semanticbm25.eval.collection.QueryLog;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.collection.Sampling;
import org.semanticbm25.eval.measure.Report;
import org.semanticbm25.eval.measure.Significance;
import org.semanticbm25.onnx.distill.Adaptation;
import org.semanticbm25.onnx.distill.Adaptation.ScoredQuery;
import org.semanticbm25.onnx.distill.Agreement;
import org.semanticbm25.similarity.field.SemanticField;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sbm25 fit}. */
@Command(
    name = "fit",
    sortOptions = false,
    description = {
      "Adapt the model to your own collection and queries; no judgements are needed.",
      "A cross-encoder scores what BM25 finds for a sample of the queries. With one half of them"
          + " the parameters and the weights of single words are chosen so that semantic BM25 ranks"
          + " as the cross-encoder does; on the other half the gain is measured. A model that does"
          + " not gain there is not written, and the exit code is 1.%n"
    })
public final class FitCommand implements Callable<Integer> {
  private static final int MIN_QUERIES = 20;

  @Parameters(paramLabel = "INDEX", description = "a Lucene index; only read")
  Path index;

  @Option(
      names = "--queries",
      required = true,
      paramLabel = "FILE",
      description = "queries, one a line")
  Path queries;

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "FILE",
      description = "the model file to write")
  Path output;

  @Option(
      names = "--sample",
      paramLabel = "N",
      defaultValue = "600",
      description = "queries to use, both halves together (default: ${DEFAULT-VALUE})")
  int sample;

  @Option(
      names = "--depth",
      paramLabel = "N",
      defaultValue = "50",
      description = "hits of BM25 that the cross-encoder scores (default: ${DEFAULT-VALUE})")
  int depth;

  @Mixin FieldOption field;

  @Mixin FormatOption format;

  @Mixin CrossEncoderOption crossEncoder;
  @Mixin Workspace workspace;
  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if (sample < MIN_QUERIES || depth < 2) {
      throw new UserException(
          "--sample %d, --depth %d: must be %d and 2 or more"
              .formatted(sample, depth, MIN_QUERIES));
    }
    UserFiles.requireWritable(output);
    try (DirectoryReader reader = CollectionIndexes.openIndex(index)) {
      field.requireIn(index, reader);
      SemanticField start = field.semantic(workspace, index);
      List<ScoredQuery> judged = judge(reader);
      List<ScoredQuery> fitted = judged.subList(0, judged.size() / 2);
      List<ScoredQuery> held = judged.subList(judged.size() / 2, judged.size());
      String now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
      Adaptation adaptation = new Adaptation(reader, now);
      SemanticField adapted = adaptation.fit(start, fitted);
      Report report = new Report("agreement with the cross-encoder");
      put(
          report,
          "fitted half",
          adaptation.agreement(start, fitted),
          adaptation.agreement(adapted, fitted));
      Agreement before = adaptation.agreement(start, held);
      Agreement after = adaptation.agreement(adapted, held);
      put(report, "held-out half", before, after);
      report.print(spec.commandLine().getOut(), format.value);
      requireGain(before.alignment(), after.alignment());
      Workspace.write(adapted.model(), output);
      Terminal.say(
          "wrote %s: %s, %d words corrected",
          output,
          adapted.parameters(),
          adapted.model().edits().size() - start.model().edits().size());
    }
    return 0;
  }

  private static void requireGain(double before, double after) throws UserException {
    if (after <= before) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "no gain on held-out queries (alignment %.4f before, %.4f after): nothing was"
                  + " written; give more queries, or keep the model you have",
              before,
              after));
    }
  }

  private static void put(Report report, String half, Agreement before, Agreement after) {
    report.put(half, "queries", before.queries());
    report.put(half, "alignment before", before.alignment());
    report.put(half, "after", after.alignment());
    report.put(half, "p", Significance.paired(before.alignments(), after.alignments()));
    report.put(half, "r before", before.pearson());
    report.put(half, "r after", after.pearson());
  }

  /** Queries in random order, with what BM25 finds and what the cross-encoder thinks of it. */
  private List<ScoredQuery> judge(DirectoryReader reader) throws IOException {
    // a query that is asked in two ways must not be on both sides
    List<String> texts = Sampling.draw(QueryLog.read(queries).values(), sample);
    RankingSystem bm25 = field.bm25(reader);
    IndexSearcher searcher = bm25.searcher();
    List<ScoredQuery> judged = new ArrayList<>();
    try (CachedCrossEncoder encoder = crossEncoder.openCached(workspace.home);
        Terminal progress = new Terminal()) {
      for (String text : texts) {
        TopDocs hits = searcher.search(bm25.query(text), depth);
        field.requireStored(index, searcher, hits);
        // with fewer there is nothing to rank
        if (hits.scoreDocs.length > 1) {
          judge(encoder, searcher, text, hits.scoreDocs).ifPresent(judged::add);
        }
        progress.report("scoring what BM25 finds", judged.size(), texts.size());
      }
    }
    if (judged.size() < MIN_QUERIES) {
      throw new UserException(
          "%s: only %d queries find passages in %s that are not all alike; give %d or more"
              .formatted(queries, judged.size(), index, MIN_QUERIES));
    }
    return judged;
  }

  /** Empty if the cross-encoder prefers none of the hits. */
  private Optional<ScoredQuery> judge(
      CachedCrossEncoder encoder, IndexSearcher searcher, String text, ScoreDoc[] hits)
      throws IOException {
    List<String> passages = new ArrayList<>();
    for (ScoreDoc hit : hits) {
      String stored = searcher.storedFields().document(hit.doc, Set.of(field.name)).get(field.name);
      passages.add(stored == null ? "" : stored);
    }
    float[] logits = encoder.score(text, passages);
    boolean alike = IntStream.range(0, logits.length).allMatch(i -> logits[i] == logits[0]);
    int[] docs = Arrays.stream(hits).mapToInt(hit -> hit.doc).toArray();
    return alike ? Optional.empty() : Optional.of(new ScoredQuery(text, docs, logits));
  }
}
