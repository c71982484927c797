package org.semanticbm25.eval;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.util.BytesRef;
import org.semanticbm25.lucene.SurfaceForms;
import org.semanticbm25.onnx.Extractor;
import org.semanticbm25.onnx.KernelFit;
import org.semanticbm25.onnx.KernelFit.Bag;
import org.semanticbm25.onnx.KernelFit.Fit;
import org.semanticbm25.onnx.KernelFit.Ranking;
import org.semanticbm25.onnx.KernelFit.Vocabulary;
import org.semanticbm25.onnx.NeuralModel;
import org.semanticbm25.onnx.PairSampler;
import org.semanticbm25.onnx.PairSampler.Texts;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.TermEncoder;
import org.semanticbm25.similarity.SemanticBM25Model;

/**
 * Lists as bags of terms with a cross-encoder's logits, to fit a kernel on. IDF and length are those of
 * the collection that the passages of all lists make. Not thread-safe.
 */
final class KernelLists {
  /** Batches at least; of few lists the kernel that is kept comes earlier. */
  private static final int MIN_STEPS = 1000;

  private static final int PASSES = 3;
  private static final double PULL = 0.05;

  private final List<Ranking> train = new ArrayList<>();
  private final List<Ranking> development = new ArrayList<>();
  private final SurfaceForms surfaces = new SurfaceForms("text", new EnglishAnalyzer());
  // in the order of their coming, so that every run is the same
  private final Map<BytesRef, Integer> terms = new LinkedHashMap<>();
  private final Map<String, Bag> bags = new HashMap<>();
  private final List<Integer> documentFrequencies = new ArrayList<>();

  private KernelLists() {}

  /** Lets a cross-encoder score lists. */
  static KernelLists score(TrainingLists lists, PairSampler sampler, Progress progress)
      throws IOException {
    KernelLists kernel = new KernelLists();
    kernel.add(
        lists.train(), sampler.score("scoring lists", lists.train(), progress), kernel.train);
    kernel.add(
        lists.development(),
        sampler.score("scoring development lists", lists.development(), progress),
        kernel.development);
    return kernel;
  }

  private void add(List<Texts> lists, List<float[]> logits, List<Ranking> rankings)
      throws IOException {
    for (int i = 0; i < lists.size(); i++) {
      Texts texts = lists.get(i);
      int[] query = terms(texts.query()).stream().mapToInt(Integer::intValue).distinct().toArray();
      List<Bag> passages = new ArrayList<>();
      for (String passage : texts.passages()) {
        Bag bag = bags.get(passage);
        if (bag == null) {
          bag = bag(terms(passage));
          bags.put(passage, bag);
        }
        passages.add(bag);
      }
      if (query.length > 0) {
        rankings.add(new Ranking(query, passages, logits.get(i)));
      }
    }
  }

  private List<Integer> terms(String text) throws IOException {
    List<Integer> numbers = new ArrayList<>();
    for (BytesRef term : surfaces.add(text)) {
      Integer number = terms.putIfAbsent(term, terms.size());
      if (number == null) {
        number = terms.get(term);
        documentFrequencies.add(0);
      }
      numbers.add(number);
    }
    return numbers;
  }

  private Bag bag(List<Integer> numbers) {
    Map<Integer, Integer> frequencies = new TreeMap<>();
    numbers.forEach(number -> frequencies.merge(number, 1, Integer::sum));
    frequencies.keySet().forEach(n -> documentFrequencies.set(n, documentFrequencies.get(n) + 1));
    return new Bag(
        frequencies.keySet().stream().mapToInt(Integer::intValue).toArray(),
        frequencies.values().stream().mapToInt(Integer::intValue).toArray());
  }

  private Vocabulary vocabulary(NeuralModel model, int layer, Progress progress) throws IOException {
    float[] idf = new float[terms.size()];
    for (int i = 0; i < idf.length; i++) {
      int df = documentFrequencies.get(i);
      idf[i] = (float) Math.log(1 + (bags.size() - df + 0.5) / (df + 0.5));
    }
    double length =
        bags.values().stream().mapToInt(Bag::length).average().orElse(1);
    return new Vocabulary(states(model, layer, progress), idf, Math.max(1, length));
  }

  private float[][] states(NeuralModel model, int layer, Progress progress) throws IOException {
    Set<Integer> asked = new HashSet<>();
    train.forEach(ranking -> IntStream.of(ranking.query()).forEach(asked::add));
    development.forEach(ranking -> IntStream.of(ranking.query()).forEach(asked::add));
    List<Integer> numbers = new ArrayList<>();
    List<String> words = new ArrayList<>();
    terms.forEach(
        (term, number) -> {
          String word = surfaces.of(term);
          if (SurfaceForms.isWord(word)
              && (asked.contains(number) || documentFrequencies.get(number) > 1)) {
            numbers.add(number);
            words.add(word);
          }
        });
    if (words.isEmpty()) {
      throw new UserException(
          "--lists: no words in the passages; they are analysed as English, give lists in English");
    }
    float[][] states = new float[terms.size()][];
    try (TermEncoder encoder = new TermEncoder(model, layer)) {
      float[][] encoded = encoder.encodeWords(words, progress);
      for (int i = 0; i < encoded.length; i++) {
        states[numbers.get(i)] = encoded[i];
      }
      float[] none = new float[encoded[0].length];
      for (int i = 0; i < states.length; i++) {
        states[i] = states[i] == null ? none : states[i];
      }
    }
    return states;
  }

  /** Fits the kernel and makes a model with it. */
  SemanticBM25Model extract(
      NeuralModel model,
      int layer,
      Optional<Map<String, Double>> referenceIdf,
      Progress progress)
      throws IOException {
    Fit fit =
        new KernelFit(
                vocabulary(model, layer, progress), Extractor.DEFAULT_PARAMETERS, train, development)
            .fit(Math.max(MIN_STEPS, PASSES * train.size() / KernelFit.BATCH), PULL, progress);
    Map<String, String> figures = new TreeMap<>();
    figures.put("kernel, lists", Integer.toString(train.size()));
    figures.put("kernel, development loss untrained", format(fit.loss().getFirst()));
    figures.put("kernel, development loss", format(fit.loss().get(fit.kept())));
    return Extractor.extract(model, layer, fit.kernel(), figures, referenceIdf, progress);
  }

  private static String format(double value) {
    return String.format(Locale.ROOT, "%.4f", value);
  }
}
