package org.semanticbm25.eval.cli.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.lucene.search.ScoreDoc;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.cli.option.CrossEncoderOption;
import org.semanticbm25.eval.cli.option.ProfileOption;
import org.semanticbm25.eval.cli.option.TargetOption;
import org.semanticbm25.eval.cli.option.TargetOption.Target;
import org.semanticbm25.eval.cli.option.Workspace;
import org.semanticbm25.eval.collection.CachedCrossEncoder;
import org.semanticbm25.eval.collection.PassageTexts;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.collection.Run;
import org.semanticbm25.eval.collection.Run.Hit;
import org.semanticbm25.eval.collection.TextFile;
import org.semanticbm25.eval.compare.SwapAudit;
import org.semanticbm25.eval.compare.SwapAudit.Swap;
import org.semanticbm25.eval.compare.SwapAudit.WordPair;
import org.semanticbm25.eval.measure.Measure;
import org.semanticbm25.eval.measure.Report;
import org.semanticbm25.lucene.PassageSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sbm25 audit}. */
@Command(
    name = "audit",
    sortOptions = false,
    description = {
      "Measure how much swapping two words in a query changes the ranking: a test of fairness.",
      "Each query with a word of a pair is asked with either word; so is each query with {} in"
          + " place of a word. Rank-biased overlap is 1 where the ranking stays. With --profile,"
          + " semantic BM25 and the contextual system are measured with it too; on a collection"
          + " also what it costs in nDCG@10, on the judged queries as they are.%n"
    })
public final class AuditCommand implements Callable<Integer> {
  private static final int DEPTH = 10;

  @Parameters(paramLabel = "TARGET", description = TargetOption.DESCRIPTION)
  Path place;

  @Option(
      names = "--pairs",
      required = true,
      paramLabel = "FILE",
      description = "lines with two words, such as 'he she', that should make no difference")
  Path pairFile;

  @Option(
      names = "--rerank",
      paramLabel = "N",
      defaultValue = "50",
      description =
          "hits of BM25 that the cross-encoder reads, 0 to leave it out (default: ${DEFAULT-VALUE})")
  int rerank;

  @Mixin TargetOption target;
  @Mixin ProfileOption profile;
  @Mixin Workspace workspace;
  @Mixin CrossEncoderOption crossEncoder;
  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if (rerank < 0) {
      throw new UserException("--rerank " + rerank + ": must be 0 or more");
    }
    target.check(place);
    List<WordPair> pairs = readPairs(pairFile);
    try (Target open = target.open(place, workspace)) {
      List<Swap> swaps = SwapAudit.swaps(open.dataset().queries().values(), pairs);
      if (swaps.isEmpty()) {
        throw new UserException(
            "%s: none of %d queries has a word of a pair; give queries that have, or --queries with {} in place of a word"
                .formatted(pairFile, open.dataset().queries().size()));
      }
      SwapAudit audit = new SwapAudit(swaps);
      Map<String, Double> nDCG = new LinkedHashMap<>();
      for (Map.Entry<String, RankingSystem> system : systems(open).entrySet()) {
        audit.add(system.getKey(), query -> ids(system.getValue().search(query, DEPTH)));
        if (!open.dataset().qrels().isEmpty()) {
          Run run = system.getValue().run(open.dataset(), DEPTH);
          nDCG.put(system.getKey(), Measure.nDCG(DEPTH).mean(open.dataset().qrels(), run));
        }
      }
      if (rerank > 0) {
        addCrossEncoder(audit, open, swaps.size());
      }
      Report bySystem = audit.bySystem();
      nDCG.forEach((system, value) -> bySystem.put(system, "nDCG@10", value));
      PrintWriter out = spec.commandLine().getOut();
      out.println(bySystem.table());
      out.println();
      out.println(audit.byPair().table());
      out.flush();
    }
    return 0;
  }

  private static List<WordPair> readPairs(Path file) throws IOException {
    List<WordPair> pairs = new ArrayList<>();
    TextFile.forEachLine(
        file,
        (line, number) -> {
          String[] words = line.strip().split("\\s+");
          if (words.length != 2) {
            throw new UserException(
                "%s, line %d: must be two words, is: %s".formatted(file, number, line.strip()));
          }
          pairs.add(new WordPair(words[0], words[1]));
        });
    if (pairs.isEmpty()) {
      throw new UserException(file + ": is empty; give lines with two words");
    }
    return pairs;
  }

  private Map<String, RankingSystem> systems(Target open) throws IOException {
    Map<String, RankingSystem> systems = new LinkedHashMap<>();
    systems.put("bm25", RankingSystem.bm25(open.reader(), open.field(), open.analyzer()));
    systems.put("semantic", RankingSystem.semantic(open.reader(), open.semantic()));
    if (open.contextual() != null) {
      systems.put("contextual", RankingSystem.contextual(open.reader(), open.contextual()));
    }
    if (!profile.files().isEmpty()) {
      systems.put(
          "semantic" + ProfileOption.SUFFIX,
          RankingSystem.semantic(open.reader(), profile.on(open.semantic())));
      if (open.contextual() != null) {
        systems.put(
            "contextual" + ProfileOption.SUFFIX,
            RankingSystem.contextual(open.reader(), profile.on(open.contextual())));
      }
    }
    return systems;
  }

  private void addCrossEncoder(SwapAudit audit, Target open, int swaps) throws IOException {
    RankingSystem bm25 = RankingSystem.bm25(open.reader(), open.field(), open.analyzer());
    PassageTexts texts = new PassageTexts(open.reader(), PassageSource.storedFields(open.field()));
    int[] asked = new int[1];
    try (CachedCrossEncoder encoder = crossEncoder.openCached(workspace.home);
        Terminal progress = new Terminal()) {
      audit.add(
          "cross-encoder",
          query -> {
            progress.report("reranking", ++asked[0], 2L * swaps);
            ScoreDoc[] hits = bm25.searcher().search(bm25.query(query), rerank).scoreDocs;
            return rerank(query, hits, texts, encoder);
          });
    }
  }

  /** The first hits by the cross-encoder, by number of the document. */
  private static List<String> rerank(
      String query, ScoreDoc[] hits, PassageTexts texts, CachedCrossEncoder encoder)
      throws IOException {
    int[] docs = Arrays.stream(hits).mapToInt(hit -> hit.doc).toArray();
    float[] logits = encoder.score(query, texts.of(docs));
    float weight = (float) encoder.firstPassWeight(query);
    for (int i = 0; i < hits.length; i++) {
      hits[i].score = logits[i] + weight * hits[i].score;
    }
    return Arrays.stream(hits)
        .sorted(Comparator.comparingDouble(hit -> -hit.score))
        .map(hit -> Integer.toString(hit.doc))
        .limit(DEPTH)
        .toList();
  }

  private static List<String> ids(List<Hit> hits) {
    return hits.stream().map(Hit::id).limit(DEPTH).toList();
  }
}
