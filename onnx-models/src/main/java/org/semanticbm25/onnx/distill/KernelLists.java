package org.semanticbm25.onnx.distill;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.util.BytesRef;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.distill.KernelFit.Fit;
import org.semanticbm25.onnx.distill.PairSampler.PassageList;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.runtime.TermEncoder;
import org.semanticbm25.similarity.field.SurfaceForms;
import org.semanticbm25.similarity.model.SemanticBM25Model;
import org.semanticbm25.similarity.model.Wordpieces;
import org.semanticbm25.similarity.search.SemanticBM25Similarity;

/**
 * Lists as bags of terms with a cross-encoder's logits, to fit a kernel on. IDF and length are
 * those of the collection that the passages of all lists make. Not thread-safe.
 */
public final class KernelLists {
  /** Batches at least; of few lists the kernel that is kept comes earlier. */
  private static final int MIN_STEPS = 1000;

  private static final int PASSES = 3;
  private static final double PULL = 0.05;

  private final List<TermRanking> train = new ArrayList<>();
  private final List<TermRanking> development = new ArrayList<>();
  private final SurfaceForms surfaces = new SurfaceForms("text", new EnglishAnalyzer());
  // in the order of their coming, so that every run is the same
  private final Map<BytesRef, Integer> terms = new LinkedHashMap<>();
  private final Map<String, TermBag> bags = new HashMap<>();
  private final List<Integer> documentFrequencies = new ArrayList<>();

  private KernelLists() {}

  /**
   * Lets a cross-encoder score lists. A query without terms is left out.
   *
   * @param lists of training and of development queries, in English
   * @param sampler runs the cross-encoder, or has its logits from before; not closed here
   * @param progress notified of the lists that are scored
   * @return bags of terms with logits
   * @throws IOException if the cross-encoder fails, or the sampler's file cannot be written
   */
  public static KernelLists score(TrainingLists lists, PairSampler sampler, Progress progress)
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

  private void add(List<PassageList> lists, List<float[]> logits, List<TermRanking> rankings)
      throws IOException {
    for (int i = 0; i < lists.size(); i++) {
      PassageList texts = lists.get(i);
      int[] query = terms(texts.query()).stream().mapToInt(Integer::intValue).distinct().toArray();
      List<TermBag> passages = new ArrayList<>();
      for (String passage : texts.passages()) {
        TermBag bag = bags.get(passage);
        if (bag == null) {
          bag = bag(terms(passage));
          bags.put(passage, bag);
        }
        passages.add(bag);
      }
      if (query.length > 0) {
        rankings.add(new TermRanking(query, passages, logits.get(i)));
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

  private TermBag bag(List<Integer> numbers) {
    Map<Integer, Integer> frequencies = new TreeMap<>();
    numbers.forEach(number -> frequencies.merge(number, 1, Integer::sum));
    frequencies.keySet().forEach(n -> documentFrequencies.set(n, documentFrequencies.get(n) + 1));
    return new TermBag(
        frequencies.keySet().stream().mapToInt(Integer::intValue).toArray(),
        frequencies.values().stream().mapToInt(Integer::intValue).toArray());
  }

  private TermStates vocabulary(NeuralModel model, int layer, Progress progress)
      throws IOException {
    float[] idf = new float[terms.size()];
    for (int i = 0; i < idf.length; i++) {
      int df = documentFrequencies.get(i);
      idf[i] = (float) SemanticBM25Similarity.bm25Idf(df, bags.size());
    }
    double length = bags.values().stream().mapToInt(TermBag::length).average().orElse(1);
    return new TermStates(states(model, layer, progress), idf, Math.max(1, length));
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
          if (Wordpieces.isWord(word)
              && (asked.contains(number) || documentFrequencies.get(number) > 1)) {
            numbers.add(number);
            words.add(word);
          }
        });
    if (words.isEmpty()) {
      throw new IOException(
          "--lists: no words in the passages; they are analysed as English, give lists in English");
    }
    float[][] states = new float[terms.size()][];
    try (TermEncoder encoder = new TermEncoder(model, layer, ForkJoinPool.commonPool())) {
      float[][] encoded = encoder.encodeWords(words, progress);
      // of the terms that are no words
      Arrays.fill(states, new float[encoded[0].length]);
      for (int i = 0; i < encoded.length; i++) {
        states[numbers.get(i)] = encoded[i];
      }
    }
    return states;
  }

  /**
   * Fits the kernel and makes a model with it.
   *
   * @param model a BERT-family encoder or cross-encoder that gives the hidden states
   * @param layer after which hidden states are taken, see {@link Extractor#layer}
   * @param words of the texts that are to be searched, for the model's word table
   * @param referenceIdf IDF by word to report the direction's correlation with, if there is one
   * @param progress notified of words that are encoded and of steps of the fit
   * @return a model with the fitted kernel, and figures of the fit in its provenance
   * @throws IOException if a file of the model is missing, damaged or of another kind, or if the
   *     passages have no words
   * @throws IllegalArgumentException if no training or no development query has a term
   */
  public SemanticBM25Model extract(
      NeuralModel model,
      int layer,
      WordCounts words,
      Optional<Map<String, Double>> referenceIdf,
      Progress progress)
      throws IOException {
    Fit fit =
        new KernelFit(
                vocabulary(model, layer, progress),
                Extractor.DEFAULT_PARAMETERS,
                train,
                development)
            .fit(Math.max(MIN_STEPS, PASSES * train.size() / KernelFit.BATCH), PULL, progress);
    Map<String, String> figures = new TreeMap<>();
    figures.put("kernel, lists", Integer.toString(train.size()));
    figures.put("kernel, development loss untrained", format(fit.loss().getFirst()));
    figures.put("kernel, development loss", format(fit.loss().get(fit.kept())));
    return Extractor.extract(model, layer, fit.kernel(), words, figures, referenceIdf, progress);
  }

  private static String format(double value) {
    return String.format(Locale.ROOT, "%.4f", value);
  }
}
