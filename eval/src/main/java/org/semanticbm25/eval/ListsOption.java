package org.semanticbm25.eval;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.index.DirectoryReader;
import org.semanticbm25.eval.Run.Hit;
import org.semanticbm25.onnx.Digests;
import org.semanticbm25.onnx.PairSample;
import org.semanticbm25.onnx.PairSampler;
import org.semanticbm25.onnx.PairSampler.Texts;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.similarity.ScoringParameters;
import picocli.CommandLine.Option;

/** The lists of queries and passages that functions are fitted on. */
final class ListsOption {
  static final int MIN_QUERIES = 2;

  @Option(
      names = "--lists",
      paramLabel = "DIR",
      description =
          "folder with lists.jsonl.gz, {query, passages}, and passages.jsonl.gz, {_id, text}, one"
              + " object a line")
  Path folder;

  @Option(
      names = "--queries",
      paramLabel = "N",
      defaultValue = "1500",
      description = "training queries of the lists to use (default: ${DEFAULT-VALUE})")
  int queries;

  @Option(
      names = "--development-queries",
      paramLabel = "N",
      defaultValue = "500",
      description = "development queries of the lists to use (default: ${DEFAULT-VALUE})")
  int developmentQueries;

  /** Lists, and what a cross-encoder makes of them. */
  record Samples(TrainingLists lists, List<PairSample> train, List<PairSample> development) {
    List<Texts> firstDevelopment(int count) {
      return lists.development().subList(0, Math.min(count, lists.development().size()));
    }
  }

  /** Reads the lists. */
  TrainingLists read() throws IOException {
    return read(queries);
  }

  /**
   * Reads lists.
   *
   * @param count training queries at most
   */
  TrainingLists read(int count) throws IOException {
    if (folder == null) {
      throw new UserException("--lists: is missing; give a folder with " + TrainingLists.LISTS);
    }
    if (queries < MIN_QUERIES || developmentQueries < MIN_QUERIES) {
      throw new UserException(
          "--queries %d, --development-queries %d: must be %d or more"
              .formatted(queries, developmentQueries, MIN_QUERIES));
    }
    return TrainingLists.read(folder, count, developmentQueries);
  }

  /** Runs the cross-encoder on lists. */
  static Samples sample(TrainingLists lists, PairSampler sampler, Progress progress)
      throws IOException {
    return new Samples(
        lists,
        sampler.sample("scoring training lists", lists.train(), progress),
        sampler.sample("scoring development lists", lists.development(), progress));
  }

  /**
   * Chooses k1 and b of BM25 so that its scores correlate best with the logits of the training
   * lists, with the statistics of all passages of these lists.
   */
  static ScoringParameters tuneBm25(Workspace workspace, Samples samples) throws IOException {
    Analyzer analyzer = new EnglishAnalyzer();
    Map<String, String> ids = new LinkedHashMap<>();
    for (Texts texts : samples.lists.train()) {
      texts.passages().forEach(text -> ids.putIfAbsent(text, "p" + ids.size()));
    }
    Path index =
        workspace.index(
            "lists",
            Digests.sha256(String.join("\n", ids.keySet())),
            analyzer,
            consumer -> {
              for (Map.Entry<String, String> passage : ids.entrySet()) {
                consumer.accept(new Passage(passage.getValue(), "", passage.getKey()));
              }
            });
    try (DirectoryReader reader = Workspace.openIndex(index)) {
      ScoringParameters best =
          new Tuner(Tuner.BM25_GRID)
              .climb(
                  p ->
                      agreement(
                              RankingSystem.bm25(
                                  reader, TextIndex.CONTENTS, analyzer, p.k1(), p.b()),
                              samples,
                              ids)
                          .pearson());
      Terminal.say("BM25 tuned to the logits of the training lists: k1=%s b=%s", best.k1(), best.b());
      return best;
    }
  }

  private static Agreement agreement(
      RankingSystem bm25, Samples samples, Map<String, String> ids) throws IOException {
    Agreement agreement = new Agreement();
    for (int query = 0; query < samples.train.size(); query++) {
      Texts texts = samples.lists.train().get(query);
      List<Hit> candidates = new ArrayList<>();
      texts.passages().forEach(text -> candidates.add(new Hit(ids.get(text), 0)));
      Map<String, Float> scores = new TreeMap<>(bm25.scores(candidates, texts.query()));
      agreement.add(
          candidates.stream().mapToDouble(hit -> scores.getOrDefault(hit.id(), 0f)).toArray(),
          samples.train.get(query).logits());
    }
    return agreement;
  }
}
