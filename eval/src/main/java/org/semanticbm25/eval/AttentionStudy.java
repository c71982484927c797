package org.semanticbm25.eval;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.ToDoubleBiFunction;
import java.util.stream.IntStream;
import org.semanticbm25.onnx.AttentionExtractor;
import org.semanticbm25.onnx.AttentionExtractor.Step;
import org.semanticbm25.onnx.AttentionFunction;
import org.semanticbm25.onnx.AttentionModel;
import org.semanticbm25.onnx.AttentionTaps;
import org.semanticbm25.onnx.AttentionTaps.Mass;
import org.semanticbm25.onnx.HeadSimilarity;
import org.semanticbm25.onnx.NeuralModel;
import org.semanticbm25.onnx.PairSample;
import org.semanticbm25.onnx.PaperProtocol;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.WordEmbeddings;

/** What attention explains of a cross-encoder: functions fitted on lists, measured on test sets. */
final class AttentionStudy {
  private static final int MATCHING_HEADS = 13;
  private static final int DRAWS = 5;
  private static final int SIMILARITY_PAIRS = 100;

  private final int headsOfLayer;
  private final float[] idf;
  private final List<PairSample> train;
  private final List<PairSample> development;
  private final AttentionExtractor extractor;
  private final List<Step> path;
  private final List<Integer> matchingHeads;

  /**
   * @param headsOfLayer number of heads of a layer
   * @param idf by token id
   * @param train samples of training queries
   * @param development samples of development queries
   * @param heads layers and heads to take for the matching ones; if empty they are found
   */
  AttentionStudy(
      int headsOfLayer,
      float[] idf,
      List<PairSample> train,
      List<PairSample> development,
      List<int[]> heads)
      throws UserException {
    this.headsOfLayer = headsOfLayer;
    this.idf = idf;
    this.train = train;
    this.development = development;
    this.extractor = new AttentionExtractor(headsOfLayer, idf, train, development);
    this.path = extractor.matchingHeads(MATCHING_HEADS);
    this.matchingHeads =
        heads.isEmpty() ? path.stream().map(Step::head).toList() : numbers(heads);
  }

  private List<Integer> numbers(List<int[]> heads) throws UserException {
    List<Integer> numbers = new ArrayList<>();
    for (int[] head : heads) {
      if (head[0] >= layers() || head[1] >= headsOfLayer) {
        throw new UserException(
            "the model has %d layers of %d heads, so no head %d.%d; let the heads be found"
                .formatted(layers(), headsOfLayer, head[0], head[1]));
      }
      numbers.add(head[0] * headsOfLayer + head[1]);
    }
    return numbers;
  }

  AttentionExtractor extractor() {
    return extractor;
  }

  private String head(int head) {
    return head / headsOfLayer + "." + head % headsOfLayer;
  }

  /** What the heads do: how attention follows similarity, r by themselves, r together. */
  List<Report> heads(
      NeuralModel model, AttentionTaps taps, ListsOption.Samples sampled, Progress progress)
      throws IOException {
    double[] similarity =
        new HeadSimilarity(taps, WordEmbeddings.read(model.onnx()))
            .of(sampled.firstDevelopment(SIMILARITY_PAIRS), progress);
    return List.of(
        heatMap("Heads: correlation of attention with the similarity of tokens", similarity),
        heatMap("Heads: r of each by itself, development queries", extractor.alone()),
        path());
  }

  private Report heatMap(String title, double[] figures) {
    Report report = new Report(title);
    for (int head = 0; head < figures.length; head++) {
      report.put(
          "layer " + head / headsOfLayer, "head " + head % headsOfLayer, figures[head]);
    }
    return report;
  }

  /** The matching heads in the order in which they were found. */
  private Report path() {
    Report report =
        new Report("Matching heads (layer.head), each the one that helps most on development queries");
    for (Step step : path) {
      report.put(head(step.head()), "r with it and those above", step.correlation());
    }
    return report;
  }

  /** The paper's function by the paper's protocol. */
  Report paperProtocol(List<StudySet> sets) throws IOException {
    Report report =
        new Report("Attention, the paper's protocol: weights by position and length, split by row");
    for (StudySet set : sets) {
      List<PairSample> few = few(set);
      for (boolean withSeparator : new boolean[] {true, false}) {
        agreement(PaperProtocol.run(few, idf, matchingHeads, withSeparator))
            .put(report, set.name() + (withSeparator ? ", with [SEP]" : ", without [SEP]"));
      }
    }
    return report;
  }

  private static Agreement agreement(List<PaperProtocol.Row> rows) {
    Map<Integer, List<PaperProtocol.Row>> byQuery = new TreeMap<>();
    rows.forEach(row -> byQuery.computeIfAbsent(row.sample(), q -> new ArrayList<>()).add(row));
    Agreement agreement = new Agreement();
    byQuery
        .values()
        .forEach(
            of -> {
              float[] logits = new float[of.size()];
              for (int i = 0; i < logits.length; i++) {
                logits[i] = of.get(i).logit();
              }
              agreement.add(of.stream().mapToDouble(PaperProtocol.Row::predicted).toArray(), logits);
            });
    return agreement;
  }

  /** One set of weights for all queries, split by query; beside it BM25. */
  Report honestProtocol(List<StudySet> sets, float k1, float b) throws IOException {
    Report report =
        new Report("Attention, one set of weights for all, fitted on other queries; BM25 beside it");
    AttentionFunction all = extractor.fit(layers()).function();
    AttentionFunction few = extractor.fit(matchingHeads).function();
    for (StudySet set : sets) {
      agreement(all, few(set)).put(report, set.name() + ", all heads");
      agreement(few, few(set)).put(report, set.name() + ", " + MATCHING_HEADS + " heads");
      Agreement bm25 = new Agreement();
      Agreement given = new Agreement();
      for (int query = 0; query < set.queries().size(); query++) {
        float[] logits = few(set).get(query).logits();
        bm25.add(Arrays.copyOf(set.bm25(query, k1, b), logits.length), logits);
        given.add(Arrays.copyOf(set.given(query), logits.length), logits);
      }
      bm25.put(report, set.name() + ", tuned BM25");
      if (set.given()) {
        given.put(report, set.name() + ", BM25 as given");
      }
    }
    return report;
  }

  /** What is left when a part of the function is replaced by chance; each of them is fitted anew. */
  Report controls(List<StudySet> sets) {
    Report report = new Report("Controls: r with the cross-encoder's logits");
    List<Integer> heads = matchingHeads;
    AttentionFunction true13 = extractor.fit(heads).function();
    AttentionFunction randomIdf =
        new AttentionExtractor(headsOfLayer, shuffledIdf(), train, development)
            .fit(heads)
            .function();
    AttentionFunction shuffled =
        new AttentionExtractor(
                headsOfLayer, idf, shuffledAttention(train, 1), shuffledAttention(development, 2))
            .fit(heads)
            .function();
    List<AttentionFunction> others = new ArrayList<>();
    for (int draw = 0; draw < DRAWS; draw++) {
      others.add(extractor.fit(otherHeads(draw)).function());
    }
    for (StudySet set : sets) {
      List<PairSample> samples = few(set);
      report.put(set.name(), MATCHING_HEADS + " matching heads", agreement(true13, samples).pearson());
      report.put(set.name(), "random IDF", agreement(randomIdf, samples).pearson());
      report.put(
          set.name(),
          MATCHING_HEADS + " random heads, mean of " + DRAWS,
          others.stream().mapToDouble(f -> agreement(f, samples).pearson()).average().orElse(0));
      report.put(
          set.name(),
          "shuffled attention",
          agreement(shuffled, shuffledAttention(samples, 3)).pearson());
    }
    return report;
  }

  private float[] shuffledIdf() {
    List<Integer> order = new ArrayList<>(IntStream.range(0, idf.length).boxed().toList());
    Collections.shuffle(order, new Random(7));
    float[] shuffled = new float[idf.length];
    for (int i = 0; i < idf.length; i++) {
      shuffled[i] = idf[order.get(i)];
    }
    return shuffled;
  }

  private List<Integer> otherHeads(int draw) {
    List<Integer> heads =
        new ArrayList<>(IntStream.range(0, layers() * headsOfLayer).boxed().toList());
    Collections.shuffle(heads, new Random(draw));
    return heads.subList(0, Math.min(MATCHING_HEADS, heads.size()));
  }

  /** Gives each pair the attention of a pair of another query, its tokens in turn. */
  private static List<PairSample> shuffledAttention(List<PairSample> samples, long seed) {
    Random random = new Random(seed);
    return samples.stream()
        .map(
            sample -> {
              List<Mass> masses = new ArrayList<>();
              for (Mass mass : sample.masses()) {
                List<Mass> others = samples.get(random.nextInt(samples.size())).masses();
                Mass other = others.get(random.nextInt(others.size()));
                masses.add(other.queryTokens().length == 0 ? mass : attentionOf(other, mass));
              }
              return new PairSample(sample.logits(), masses);
            })
        .toList();
  }

  private static Mass attentionOf(Mass other, Mass mass) {
    int tokens = mass.queryTokens().length;
    float[] passage = new float[mass.passage().length];
    float[] separator = new float[passage.length];
    for (int i = 0; i < passage.length; i++) {
      int token = i % tokens % other.queryTokens().length;
      passage[i] = other.of(i / tokens, token);
      separator[i] = other.toSeparator(i / tokens, token);
    }
    return new Mass(mass.queryTokens(), passage, separator);
  }

  /** Fidelity by the number of layers: r on all sets, nDCG@10 on those that are reranked. */
  Report dial(List<StudySet> sets, AttentionModel model, double[] times) {
    Report report = new Report("The dial: layers of the cross-encoder that are run");
    for (int k = 1; k <= model.layers(); k++) {
      AttentionFunction function = model.function(k);
      String row = k + (k == 1 ? " layer" : " layers");
      report.put(row, "time, cross-encoder = 1", times[k - 1]);
      for (StudySet set : sets) {
        report.put(row, "r " + set.name(), agreement(function, few(set)).pearson());
        if (set.given()) {
          rerank(report, row, set, (query, i) -> function.score(mass(set, query, i)));
        }
      }
    }
    report.put("cross-encoder", "time, cross-encoder = 1", 1);
    for (StudySet set : sets) {
      if (set.given()) {
        rerank(
            report,
            "cross-encoder",
            set,
            (query, i) -> (double) set.samples().get(query).logits()[i]);
        report.put("BM25", "nDCG@10 " + set.name(), set.nDcg(set.first()));
      }
    }
    return report;
  }

  private static void rerank(
      Report report,
      String row,
      StudySet set,
      ToDoubleBiFunction<Integer, Integer> score) {
    double value = set.nDcg(set.rerank(score));
    double bm25 = set.nDcg(set.first());
    double full =
        set.nDcg(set.rerank((query, i) -> (double) set.samples().get(query).logits()[i]));
    report.put(row, "nDCG@10 " + set.name(), value);
    report.put(row, "share of the gain " + set.name(), (value - bm25) / (full - bm25));
  }

  private static Mass mass(StudySet set, int query, int i) {
    return set.samples().get(query).masses().get(i);
  }

  /** The static scorer, beside BM25 with the same statistics. */
  static Report staticScorer(List<StudySet> sets, float k1, float b) throws IOException {
    Report report = new Report("Static scorer, term against term, no network at query time");
    for (StudySet set : sets) {
      Agreement semantic = new Agreement();
      Agreement bm25 = new Agreement();
      for (int query = 0; query < set.queries().size(); query++) {
        float[] logits = few(set).get(query).logits();
        semantic.add(Arrays.copyOf(set.semantic(query), logits.length), logits);
        bm25.add(Arrays.copyOf(set.bm25(query, k1, b), logits.length), logits);
      }
      semantic.put(report, set.name() + ", static");
      bm25.put(report, set.name() + ", tuned BM25");
    }
    return report;
  }

  private static List<PairSample> few(StudySet set) {
    return set.samples().stream().map(AttentionStudy::few).toList();
  }

  private static PairSample few(PairSample sample) {
    int size = Math.min(StudySet.FEW, sample.logits().length);
    return new PairSample(Arrays.copyOf(sample.logits(), size), sample.masses().subList(0, size));
  }

  private static Agreement agreement(AttentionFunction function, List<PairSample> samples) {
    Agreement agreement = new Agreement();
    for (PairSample sample : samples) {
      agreement.add(
          sample.masses().stream().mapToDouble(function::score).toArray(), sample.logits());
    }
    return agreement;
  }

  private int layers() {
    return train.getFirst().masses().getFirst().heads() / headsOfLayer;
  }
}
