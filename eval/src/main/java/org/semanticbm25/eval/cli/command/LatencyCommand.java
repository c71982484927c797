package org.semanticbm25.eval.cli.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.apache.commons.math3.distribution.ZipfDistribution;
import org.apache.commons.math3.random.Well19937c;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.standard.StandardAnalyzer;
import org.apache.lucene.util.IOConsumer;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.cli.option.ContextualOption;
import org.semanticbm25.eval.cli.option.Workspace;
import org.semanticbm25.eval.collection.CollectionIndexes.OpenIndex;
import org.semanticbm25.eval.collection.Passage;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.collection.TextIndex;
import org.semanticbm25.eval.latency.Latency;
import org.semanticbm25.eval.measure.Report;
import org.semanticbm25.onnx.hub.Digests;
import org.semanticbm25.similarity.field.SemanticField;
import org.semanticbm25.similarity.model.SemanticBM25Model;
import org.semanticbm25.similarity.model.SoftFrequencies;
import org.semanticbm25.similarity.search.SoftTermQuery;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sbm25 latency}. */
@Command(
    name = "latency",
    sortOptions = false,
    description = {
      "Time semantic BM25 and contextual soft terms against BM25 on a generated collection.",
      "Passages are drawn from the model's words by Zipf's law, the more frequent in the vocabulary"
          + " the more often, and so are soft terms in context; queries are run by all systems in turn,"
          + " in this process, top 10.%n"
    })
public final class LatencyCommand implements Callable<Integer> {
  private static final int STOP_RANKS = 50;
  private static final int TOP = 10;

  @Option(
      names = "--passages",
      paramLabel = "N",
      defaultValue = "1000000",
      description = "size of the collection (default: 1000000)")
  int passages;

  @Option(
      names = "--queries",
      paramLabel = "N",
      defaultValue = "200",
      description = "number of queries, of 2 to 6 words (default: 200)")
  int queries;

  @Option(
      names = "--soft-terms",
      split = ",",
      paramLabel = "N",
      defaultValue = "0,1,2,4,8",
      description = "most soft terms of a query term, one row each (default: 0,1,2,4,8)")
  int[] softTerms;

  @Option(names = "--seed", paramLabel = "N", defaultValue = "42", description = "default: 42")
  long seed;

  @Mixin ContextualOption contextual;
  @Mixin Workspace workspace;
  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    List<String> words = words(workspace.model());
    Analyzer analyzer = new StandardAnalyzer();
    String fingerprint = Digests.sha256(workspace.model().id() + seed);
    try (OpenIndex index =
            workspace
                .indexes()
                .open(
                    "zipf-" + passages,
                    fingerprint,
                    analyzer,
                    consumer -> generate(words, consumer));
        OpenIndex enriched = contextual.enriched(index, analyzer, this::draw)) {
      List<RankingSystem> systems = new ArrayList<>();
      systems.add(RankingSystem.bm25(index.reader(), TextIndex.CONTENTS, analyzer));
      SemanticField field = SemanticField.of(workspace.model(), TextIndex.CONTENTS, analyzer);
      for (int limit : softTerms) {
        systems.add(RankingSystem.semantic(index.reader(), field.withMaxSoftTerms(limit)));
      }
      systems.add(
          RankingSystem.contextual(
              enriched.reader(), contextual.field(TextIndex.CONTENTS, analyzer)));
      List<String> texts = queries(words);
      print(systems, Latency.measure(systems, texts, TOP), texts);
    }
    return 0;
  }

  private void print(List<RankingSystem> systems, Latency latency, List<String> texts)
      throws UserException {
    PrintWriter out = spec.commandLine().getOut();
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            "top %d of %d".formatted(TOP, passages),
            "soft terms/query term",
            "p50 ms",
            "p95 ms",
            "p99 ms",
            "median ratio"));
    for (int system = 0; system < systems.size(); system++) {
      List<String> row = new ArrayList<>();
      row.add(label(system));
      row.add("%.1f".formatted(softTermsPerTerm(systems.get(system), texts)));
      for (int percent : new int[] {50, 95, 99}) {
        row.add("%.2f".formatted(latency.percentile(system, percent)));
      }
      row.add("%.2f".formatted(latency.medianRatio(system, 0)));
      rows.add(row);
    }
    out.println(Report.align(rows));
    out.flush();
  }

  private String label(int system) throws UserException {
    if (system == 0) {
      return "bm25";
    }
    return system <= softTerms.length
        ? "semantic, at most " + softTerms[system - 1]
        : "contextual, %d stored".formatted(contextual.storedTerms());
  }

  /** As many soft terms as are stored, by Zipf's law too, of exponential frequencies. */
  private List<SoftFrequencies> draw(List<String> texts) throws IOException {
    List<SoftFrequencies> drawn = new ArrayList<>();
    for (String text : texts) {
      Random random = new Random(text.hashCode());
      ZipfDistribution zipf =
          new ZipfDistribution(new Well19937c(text.hashCode()), contextual.model().size(), 1);
      SortedMap<Integer, Float> frequencies = new TreeMap<>();
      for (int i = 0; i < contextual.storedTerms(); i++) {
        frequencies.put(zipf.sample() - 1, (float) -Math.log(1 - random.nextDouble()));
      }
      float[] values = new float[frequencies.size()];
      int at = 0;
      for (float value : frequencies.values()) {
        values[at++] = value;
      }
      drawn.add(
          new SoftFrequencies(
              frequencies.keySet().stream().mapToInt(term -> term).toArray(), values));
    }
    return drawn;
  }

  private static List<String> words(SemanticBM25Model model) {
    List<String> words = new ArrayList<>();
    for (int i = 0; i < model.wordpieces().size(); i++) {
      String piece = model.wordpieces().piece(i);
      if (piece.matches("[a-z]{2,}")) {
        words.add(piece);
      }
    }
    return words;
  }

  private void generate(List<String> words, IOConsumer<Passage> consumer) throws IOException {
    Random random = new Random(seed);
    ZipfDistribution zipf = new ZipfDistribution(new Well19937c(seed), words.size(), 1);
    for (int passage = 0; passage < passages; passage++) {
      StringBuilder text = new StringBuilder();
      for (int length = 20 + random.nextInt(80); length > 0; length--) {
        text.append(words.get(zipf.sample() - 1)).append(' ');
      }
      consumer.accept(new Passage(Integer.toString(passage), "", text.toString()));
    }
  }

  /** Words by the same law, but no stop words. */
  private List<String> queries(List<String> words) {
    Random random = new Random(seed + 1);
    ZipfDistribution zipf =
        new ZipfDistribution(new Well19937c(seed + 1), words.size() - STOP_RANKS, 1);
    List<String> texts = new ArrayList<>();
    while (texts.size() < queries) {
      StringBuilder text = new StringBuilder();
      for (int length = 2 + random.nextInt(5); length > 0; length--) {
        text.append(words.get(STOP_RANKS + zipf.sample() - 1)).append(' ');
      }
      texts.add(text.toString());
    }
    return texts;
  }

  private static double softTermsPerTerm(RankingSystem system, List<String> texts) {
    long[] counts = new long[2];
    for (String text : texts) {
      SoftTermQuery.in(system.query(text))
          .forEach(
              query -> {
                counts[0]++;
                counts[1] += query.getSoftTerms().size();
              });
    }
    return counts[0] == 0 ? 0 : (double) counts[1] / counts[0];
  }
}
