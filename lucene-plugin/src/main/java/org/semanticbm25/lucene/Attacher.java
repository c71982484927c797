package org.semanticbm25.lucene;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.stream.IntStream;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.MultiTerms;
import org.apache.lucene.index.Terms;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.VectorUtil;
import org.semanticbm25.lucene.AttachedField.IdfScale;
import org.semanticbm25.lucene.AttachedField.Neighbour;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.TermEncoder;
import org.semanticbm25.similarity.SemanticBM25Model;
import org.semanticbm25.similarity.TermProjection;
import org.semanticbm25.similarity.TermVectors;

/**
 * Attaches a model to a field of an index that exists: reads its terms, changes nothing.
 *
 * <p>For each term of the dictionary it finds the word that the analyzer made the term of ({@link
 * SurfaceForms}), splits that into the model's wordpieces, takes the IDF value of the rarest, and
 * runs the word through the neural model; of the hidden state the {@link TermProjection} makes the
 * term's vector and its weight. IDF values are then shifted and scaled to the mean
 * and deviation of the collection's own IDF over the same terms, and every term's nearest terms are
 * found by comparing all pairs: exact, and 5 billion comparisons for 100,000 terms.
 *
 * <p>Only words have neighbours and a weight. A term with a digit in it means itself and nothing else,
 * however near a model puts 2019 to 2020; its weight is 1.
 */
public final class Attacher {
  private static final int ROWS_PER_REPORT = 1000;

  private final SemanticBM25Model model;
  private final TermEncoder encoder;
  private final Progress progress;

  /**
   * @param model the model to attach
   * @param encoder the neural model that {@code model} was extracted from, with states of the same
   *     layer
   * @throws IllegalArgumentException if the layers differ
   */
  public Attacher(SemanticBM25Model model, TermEncoder encoder, Progress progress) {
    if (encoder.layer() != model.layer()) {
      throw new IllegalArgumentException(
          "illegal layer of the encoder: %s, must be the model's, %s"
              .formatted(encoder.layer(), model.layer()));
    }
    this.model = model;
    this.encoder = encoder;
    this.progress = progress;
  }

  /**
   * Reads a field's terms and relates them.
   *
   * @param analyzer the one that the field was indexed with
   * @throws IllegalArgumentException if the index has no such field, or no terms in it
   */
  public AttachedField attach(IndexReader reader, String field, Analyzer analyzer)
      throws IOException {
    List<BytesRef> terms = new ArrayList<>();
    double[] collectionIdf = readTerms(reader, field, terms);
    SurfaceForms surfaces = new SurfaceForms(field, analyzer);
    surfaces.addStoredText(reader);
    BytesRef[] pieceTerms = surfaces.addVocabulary(model);
    List<String> words = terms.stream().map(surfaces::of).toList();

    float[] idf = new float[words.size()];
    for (int i = 0; i < idf.length; i++) {
      int[] pieces = model.wordpieces(words.get(i));
      idf[i] = pieces.length == 0 ? Float.NaN : model.idf(pieces);
    }
    IdfScale scale = scaleTo(collectionIdf, idf);
    for (int i = 0; i < idf.length; i++) {
      idf[i] = Float.isNaN(idf[i]) ? Float.NaN : scale.toCollection(idf[i]);
    }
    AttachedField.Terms packed = AttachedField.Terms.of(terms);
    int[] pieceOrdinals = new int[pieceTerms.length];
    Arrays.setAll(
        pieceOrdinals, i -> pieceTerms[i] == null ? -1 : packed.ordinal(pieceTerms[i]));
    float[][] states = states(words);
    float[] weights = new float[states.length];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = model.projection().weight(states[i]);
    }
    return new AttachedField(
        field, model.id(), packed, idf, weights, scale, neighbours(states), pieceOrdinals);
  }

  /** Fills the terms, sorted, and returns their IDF as BM25 has it. */
  private static double[] readTerms(IndexReader reader, String field, List<BytesRef> terms)
      throws IOException {
    Terms dictionary = MultiTerms.getTerms(reader, field);
    if (dictionary == null) {
      throw new IllegalArgumentException("the index has no terms in a field '" + field + "'");
    }
    double documents = reader.getDocCount(field);
    List<Double> idf = new ArrayList<>();
    TermsEnum all = dictionary.iterator();
    for (BytesRef term = all.next(); term != null; term = all.next()) {
      terms.add(BytesRef.deepCopyOf(term));
      int df = all.docFreq();
      idf.add(Math.log(1 + (documents - df + 0.5) / (df + 0.5)));
    }
    return idf.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /** Matches mean and deviation over the terms that have both values. */
  private static IdfScale scaleTo(double[] collection, float[] values) {
    int[] known = IntStream.range(0, values.length).filter(i -> !Float.isNaN(values[i])).toArray();
    double mean = IntStream.of(known).mapToDouble(i -> values[i]).average().orElse(0);
    double target = IntStream.of(known).mapToDouble(i -> collection[i]).average().orElse(0);
    double square = IntStream.of(known).mapToDouble(i -> square(values[i] - mean)).sum();
    double targetSquare = IntStream.of(known).mapToDouble(i -> square(collection[i] - target)).sum();
    double factor = square == 0 ? 0 : Math.sqrt(targetSquare / square);
    return new IdfScale((float) factor, (float) (target - factor * mean));
  }

  private static double square(double value) {
    return value * value;
  }

  /** The hidden state of each word; zeros for what is no word. */
  private float[][] states(List<String> words) throws IOException {
    int[] rows = IntStream.range(0, words.size()).filter(i -> SurfaceForms.isWord(words.get(i))).toArray();
    float[][] encoded =
        encoder.encodeWords(IntStream.of(rows).mapToObj(words::get).toList(), progress);
    float[][] states = new float[words.size()][];
    Arrays.fill(states, new float[model.projection().hidden()]);
    for (int i = 0; i < rows.length; i++) {
      states[rows[i]] = encoded[i];
    }
    return states;
  }

  private List<List<Neighbour>> neighbours(float[][] states) {
    int[] rows = IntStream.range(0, states.length).filter(i -> isNotZero(states[i])).toArray();
    List<List<Neighbour>> neighbours = new ArrayList<>(Collections.nCopies(states.length, List.of()));
    if (rows.length < 2) {
      return neighbours;
    }
    TermVectors vectors =
        TermVectors.quantize(
            IntStream.of(rows)
                .mapToObj(i -> model.projection().vector(states[i]))
                .toArray(float[][]::new));
    for (int start = 0; start < rows.length; start += ROWS_PER_REPORT) {
      int end = Math.min(rows.length, start + ROWS_PER_REPORT);
      IntStream.range(start, end)
          .parallel()
          .forEach(row -> neighbours.set(rows[row], nearest(vectors, row, rows)));
      progress.report("relating terms", end, rows.length);
    }
    return neighbours;
  }

  private static boolean isNotZero(float[] state) {
    return VectorUtil.dotProduct(state, state) > 0;
  }

  private static List<Neighbour> nearest(TermVectors vectors, int row, int[] terms) {
    // Among equals the first term wins, so that a result does not hang on the order of a heap.
    PriorityQueue<Neighbour> queue =
        new PriorityQueue<>(
            AttachedField.MAX_NEIGHBOURS + 1,
            Comparator.comparingDouble(Neighbour::cosine)
                .thenComparing(Neighbour::term, Comparator.reverseOrder()));
    float least = 0f;
    for (int other = 0; other < terms.length; other++) {
      float cosine = other == row ? 0f : vectors.cosine(row, vectors, other);
      if (cosine > least) {
        queue.add(new Neighbour(terms[other], Math.min(1f, cosine)));
        if (queue.size() > AttachedField.MAX_NEIGHBOURS) {
          queue.remove();
          least = queue.element().cosine();
        }
      }
    }
    List<Neighbour> nearest = new ArrayList<>();
    while (!queue.isEmpty()) {
      nearest.add(queue.remove());
    }
    Collections.reverse(nearest);
    return nearest;
  }
}
