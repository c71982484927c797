package org.semanticbm25.onnx.distill;

import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.apache.commons.math3.stat.descriptive.rank.Median;
import org.apache.lucene.util.VectorUtil;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.graph.FirstTokenOnly;
import org.semanticbm25.onnx.graph.OnnxGraph;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.runtime.TermEncoder;
import org.semanticbm25.similarity.model.Provenance;
import org.semanticbm25.similarity.model.ScoringParameters;
import org.semanticbm25.similarity.model.SemanticBM25Model;
import org.semanticbm25.similarity.model.TermProjection;
import org.semanticbm25.similarity.model.WordTable;
import org.semanticbm25.similarity.model.Wordpieces;

/** Makes a {@link SemanticBM25Model} of a neural model. */
public final class Extractor {
  /**
   * Parameters of the untrained kernel, where a fit starts; {@code sbm25 tune} chose them for the
   * last states of all-MiniLM-L6-v2, on development queries of NFCorpus and training queries of
   * SciFact.
   */
  public static final ScoringParameters DEFAULT_PARAMETERS =
      new ScoringParameters(1.6f, 0.4f, 0.2f, 2f, 0.6f, 4, 0f, 1f);

  // the table of so many is 12 MB
  private static final int MAX_WORDS = 80_000;

  private Extractor() {}

  /**
   * Extracts the IDF direction from the word embeddings, and the hidden state of every wordpiece by
   * running it through the model alone, of which the principal axes are kept.
   *
   * @param model a BERT-family encoder or cross-encoder
   * @param layer after which hidden states are taken, see {@link #layer}
   * @param parameters for scoring; kept in the model, not used here
   * @param words of the texts that are to be searched, for the model's word table
   * @param referenceIdf IDF by word to report the direction's correlation with, if there is one
   * @param progress notified of the terms that are encoded
   * @return a model with the untrained projection
   * @throws IOException if a file of the model is missing, damaged or of another kind
   */
  public static SemanticBM25Model extract(
      NeuralModel model,
      int layer,
      ScoringParameters parameters,
      WordCounts words,
      Optional<Map<String, Double>> referenceIdf,
      Progress progress)
      throws IOException {
    return extract(
        model,
        layer,
        states -> new Kernel(parameters, PrincipalAxes.of(states)),
        words,
        Map.of(),
        referenceIdf,
        progress);
  }

  /**
   * Extracts the same with a kernel that was fitted to the model's scores.
   *
   * @param model a BERT-family encoder or cross-encoder
   * @param layer after which hidden states are taken, the same as for the fit
   * @param kernel fitted on hidden states after {@code layer}
   * @param words of the texts that are to be searched, for the model's word table
   * @param figures of the fit, by name, for the provenance
   * @param referenceIdf IDF by word to report the direction's correlation with, if there is one
   * @param progress notified of the terms that are encoded
   * @return a model with the kernel's parameters and projection
   * @throws IOException if a file of the model is missing, damaged or of another kind
   */
  public static SemanticBM25Model extract(
      NeuralModel model,
      int layer,
      Kernel kernel,
      WordCounts words,
      Map<String, String> figures,
      Optional<Map<String, Double>> referenceIdf,
      Progress progress)
      throws IOException {
    return extract(model, layer, states -> kernel, words, figures, referenceIdf, progress);
  }

  private static SemanticBM25Model extract(
      NeuralModel model,
      int layer,
      Function<float[][], Kernel> kernels,
      WordCounts words,
      Map<String, String> figuresOfFit,
      Optional<Map<String, Double>> referenceIdf,
      Progress progress)
      throws IOException {
    TextTokens tokens = TextTokens.read(model);
    Map<String, String> figures = new TreeMap<>(figuresOfFit);
    referenceIdf.ifPresent(
        reference ->
            figures.put(
                "IDF direction, Pearson's r with the reference IDF",
                String.format(
                    Locale.ROOT,
                    "%.4f",
                    IdfDirection.correlation(tokens.pieces(), tokens.idf(), reference))));
    try (TermEncoder encoder = new TermEncoder(model, layer, ForkJoinPool.commonPool())) {
      int[][] ids = tokens.ids().stream().map(id -> new int[] {id}).toArray(int[][]::new);
      float[][] states = encoder.encode(ids, progress);
      Kernel kernel = kernels.apply(states);
      return new SemanticBM25Model(
          provenance(model, figures),
          kernel.parameters(),
          tokens.pieces(),
          tokens.idf(),
          layer,
          states,
          kernel.projection(),
          wordTable(encoder, tokens.pieces(), words, kernel.projection(), progress));
    }
  }

  /** The counted words and the whole words of the vocabulary. */
  private static WordTable wordTable(
      TermEncoder encoder,
      List<String> pieces,
      WordCounts counts,
      TermProjection projection,
      Progress progress)
      throws IOException {
    Wordpieces wordpieces = new Wordpieces(pieces);
    Set<String> words = new LinkedHashSet<>(counts.mostFrequent(MAX_WORDS));
    pieces.stream().filter(Wordpieces::isWord).forEach(words::add);
    List<String> spelt =
        words.stream().filter(word -> wordpieces.spell(word).length > 0).limit(MAX_WORDS).toList();
    return WordTable.of(
        Math.max(1, counts.passages()),
        spelt,
        spelt.stream().mapToInt(word -> Math.max(1, counts.frequency(word))).toArray(),
        encoder.encodeWords(spelt, progress),
        projection);
  }

  /**
   * The layer whose states stand for words if none is asked for: of a cross-encoder a third of the
   * way up, because further up they tell more of the pair than of the word; of an encoder the last.
   *
   * @param model a BERT-family encoder or cross-encoder
   * @return a third of a cross-encoder's layers, rounded up, or {@link
   *     SemanticBM25Model#LAST_LAYER}
   * @throws IOException if the model's file is missing, damaged or of another kind
   */
  public static int layer(NeuralModel model) throws IOException {
    OnnxGraph graph = OnnxGraph.read(model.onnx());
    return FirstTokenOnly.isChosen(graph)
        ? (graph.layersOrThrow().size() + 2) / 3
        : SemanticBM25Model.LAST_LAYER;
  }

  /**
   * The IDF value of every token of a model: mean 0 and deviation 1 over the tokens that stand for
   * text, and 0 for the others.
   *
   * @param model a BERT-family encoder or cross-encoder
   * @return as many values as the model has word embeddings
   * @throws IOException if a file of the model is missing, damaged or of another kind
   */
  public static float[] idfByToken(NeuralModel model) throws IOException {
    TextTokens tokens = TextTokens.read(model);
    float[] idf = new float[tokens.size()];
    for (int i = 0; i < tokens.idf().length; i++) {
      idf[tokens.ids().get(i)] = tokens.idf()[i];
    }
    return idf;
  }

  /**
   * How well directions of a model's word embeddings agree with an IDF table.
   *
   * @param singular Pearson's correlation of the IDF direction, the first singular vector
   * @param leastSquares that of the direction fitted to every other word of the table, measured on
   *     the words between: as much as one direction can tell
   * @param component median, over the vocabulary, of the size of an embedding's component along the
   *     IDF direction
   * @param length median of the length of an embedding
   */
  public record IdfAgreement(
      double singular, double leastSquares, double component, double length) {}

  /**
   * Measures the IDF direction of a model.
   *
   * @param model a BERT-family encoder or cross-encoder
   * @param reference IDF by lower-case word
   * @return correlations over the words that are tokens of the model and in the table, and sizes
   * @throws IOException if a file of the model is missing, damaged or of another kind
   * @throws IllegalStateException if there are fewer than 3 such words
   */
  public static IdfAgreement idfAgreement(NeuralModel model, Map<String, Double> reference)
      throws IOException {
    TextTokens tokens = TextTokens.read(model);
    return new IdfAgreement(
        IdfDirection.correlation(tokens.pieces(), tokens.idf(), reference),
        IdfDirection.leastSquares(tokens.pieces(), tokens.embeddings(), reference),
        median(tokens, row -> Math.abs(IdfDirection.component(row, tokens.axis()))),
        median(tokens, row -> Math.sqrt(VectorUtil.dotProduct(row, row))));
  }

  private static double median(TextTokens tokens, ToDoubleFunction<float[]> size) {
    return new Median().evaluate(tokens.embeddings().stream().mapToDouble(size).toArray());
  }

  /** What is made of a model, here and now. */
  static Provenance provenance(NeuralModel model, Map<String, String> figures) throws IOException {
    return new Provenance(
        model.name(),
        model.sha256(),
        toolVersion(),
        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
        figures);
  }

  private static String toolVersion() {
    String version = Extractor.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }
}
