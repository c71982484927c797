package org.semanticbm25.eval.study;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.semanticbm25.eval.Terminal;
import org.semanticbm25.eval.collection.CollectionIndexes;
import org.semanticbm25.eval.collection.Passage;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.collection.Run.Hit;
import org.semanticbm25.eval.collection.TextIndex;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.distill.Agreement;
import org.semanticbm25.onnx.distill.PairSample;
import org.semanticbm25.onnx.distill.PairSampler;
import org.semanticbm25.onnx.distill.PairSampler.PassageList;
import org.semanticbm25.onnx.distill.TrainingLists;
import org.semanticbm25.onnx.distill.Tuner;
import org.semanticbm25.onnx.hub.Digests;
import org.semanticbm25.similarity.model.ScoringParameters;

/**
 * Lists of queries and passages, and what a cross-encoder makes of them.
 *
 * @param lists the texts
 * @param train samples of the training lists, in their order
 * @param development samples of the development lists, in their order
 */
public record SampledLists(
    TrainingLists lists, List<PairSample> train, List<PairSample> development) {

  /** Runs the cross-encoder on lists. */
  public static SampledLists sample(TrainingLists lists, PairSampler sampler, Progress progress)
      throws IOException {
    return new SampledLists(
        lists,
        sampler.sample("scoring training lists", lists.train(), progress),
        sampler.sample("scoring development lists", lists.development(), progress));
  }

  List<PassageList> firstDevelopment(int count) {
    return lists.development().subList(0, Math.min(count, lists.development().size()));
  }

  /**
   * Chooses k1 and b of BM25 so that its scores correlate best with the logits of the training
   * lists, with the statistics of all passages of these lists.
   */
  public ScoringParameters tuneBm25(CollectionIndexes indexes) throws IOException {
    Analyzer analyzer = new EnglishAnalyzer();
    Map<String, String> ids = new LinkedHashMap<>();
    for (PassageList list : lists.train()) {
      list.passages().forEach(text -> ids.putIfAbsent(text, "p" + ids.size()));
    }
    try (CollectionIndexes.OpenIndex index =
        indexes.open(
            "lists",
            Digests.sha256(String.join("\n", ids.keySet())),
            analyzer,
            consumer -> {
              for (Map.Entry<String, String> passage : ids.entrySet()) {
                consumer.accept(new Passage(passage.getValue(), "", passage.getKey()));
              }
            })) {
      ScoringParameters best =
          new Tuner(Tuner.BM25_GRID)
              .ascend(
                  p ->
                      agreement(
                              RankingSystem.bm25(
                                  index.reader(), TextIndex.CONTENTS, analyzer, p.k1(), p.b()),
                              ids)
                          .pearson());
      Terminal.say(
          "BM25 tuned to the logits of the training lists: k1=%s b=%s", best.k1(), best.b());
      return best;
    }
  }

  private Agreement agreement(RankingSystem bm25, Map<String, String> ids) throws IOException {
    Agreement agreement = new Agreement();
    for (int query = 0; query < train.size(); query++) {
      PassageList list = lists.train().get(query);
      List<Hit> candidates = new ArrayList<>();
      for (String text : list.passages()) {
        String id = Objects.requireNonNull(ids.get(text), "all passages are indexed");
        candidates.add(new Hit(id, 0));
      }
      Map<String, Float> scores = new TreeMap<>(bm25.scores(candidates, list.query()));
      agreement.add(
          candidates.stream().mapToDouble(hit -> scores.getOrDefault(hit.id(), 0f)).toArray(),
          train.get(query).logits());
    }
    return agreement;
  }
}
