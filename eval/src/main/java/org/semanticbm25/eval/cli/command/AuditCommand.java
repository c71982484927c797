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
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.util.IOSupplier;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.UserException;
import org.semanticbm25.eval.cli.option.CrossEncoderOption;
import org.semanticbm25.eval.cli.option.ProfileOption;
import org.semanticbm25.eval.cli.option.TargetOption;
import org.semanticbm25.eval.cli.option.TargetOption.Target;
import org.semanticbm25.eval.cli.option.Workspace;
import org.semanticbm25.eval.collection.CachedCrossEncoder;
import org.semanticbm25.eval.collection.Dataset;
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
import org.semanticbm25.lucene.CrossEncoderRescorer;
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
          + " also what it costs in nDCG@10, on all judged queries as they are.%n"
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
    if (rerank != 0 && rerank < DEPTH) {
      throw new UserException("--rerank " + rerank + ": must be 0, or 10 or more");
    }
    target.check(place);
    profile.read(target.field(), target.analyzer());
    Dataset dataset = target.read(place);
    SwapAudit audit = new SwapAudit(swaps(dataset, readPairs(pairFile)));
    try (CachedCrossEncoder encoder = rerank > 0 ? crossEncoder.openCached(workspace.home) : null;
        Target open = target.open(place, dataset, workspace, rerank > 0)) {
      Map<String, Double> nDCG = new LinkedHashMap<>();
      for (RankingSystem system : systems(open)) {
        audit.add(system.name(), query -> ids(system.search(query, DEPTH)));
        if (!dataset.qrels().isEmpty()) {
          Run run = system.run(dataset, DEPTH);
          nDCG.put(system.name(), Measure.nDCG(DEPTH).mean(dataset.qrels(), run));
        }
      }
      if (encoder != null) {
        addCrossEncoder(audit, open, encoder);
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

  /** Those of as many queries with a word of a pair as are asked for. */
  private List<Swap> swaps(Dataset dataset, List<WordPair> pairs) throws UserException {
    List<Swap> all = SwapAudit.swaps(dataset.queries().values(), pairs);
    if (all.isEmpty()) {
      throw new UserException(
          "%s: none of %s queries has one word of a pair; give queries that have, or an index and --queries with {} in place of a word"
              .formatted(pairFile, dataset.queries().size()));
    }
    Set<String> drawn =
        target.drawn(all.stream().map(Swap::source).collect(Collectors.toCollection(TreeSet::new)));
    return all.stream().filter(swap -> drawn.contains(swap.source())).toList();
  }

  private static List<WordPair> readPairs(Path file) throws IOException {
    List<WordPair> pairs = new ArrayList<>();
    TextFile.forEachLine(
        file,
        (line, number) -> {
          String[] words = line.strip().split("\\s+");
          if (line.startsWith("#")) {
            return;
          }
          if (words.length != 2 || words[0].equalsIgnoreCase(words[1])) {
            throw new UserException(
                "%s, line %s: must be two different words, is: %s"
                    .formatted(file, number, line.strip()));
          }
          pairs.add(new WordPair(words[0], words[1]));
        });
    if (pairs.isEmpty()) {
      throw new UserException(file + ": is empty; give lines with two words");
    }
    return pairs;
  }

  private List<RankingSystem> systems(Target open) throws IOException {
    IOSupplier<IndexSearcher> searchers = () -> new IndexSearcher(open.reader());
    List<RankingSystem> systems = new ArrayList<>();
    systems.add(RankingSystem.bm25(open.reader(), open.semantic().name(), target.analyzer()));
    systems.addAll(profile.semantic(searchers, open.semantic()));
    if (open.contextual() != null) {
      systems.addAll(profile.contextual(searchers, open.contextual()));
    }
    return systems;
  }

  private void addCrossEncoder(SwapAudit audit, Target open, CachedCrossEncoder encoder)
      throws IOException {
    String name = open.semantic().name();
    RankingSystem bm25 = RankingSystem.bm25(open.reader(), name, target.analyzer());
    PassageTexts texts = new PassageTexts(open.reader(), PassageSource.storedFields(name));
    int[] asked = new int[1];
    try (Terminal progress = new Terminal()) {
      audit.add(
          "cross-encoder",
          query -> {
            progress.report("reranking", ++asked[0], 2L * audit.size());
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
    for (int i = 0; i < hits.length; i++) {
      hits[i].score = logits[i] + CrossEncoderRescorer.FIRST_PASS_WEIGHT * hits[i].score;
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
