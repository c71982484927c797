package org.semanticbm25.lucene;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.MultiTerms;
import org.apache.lucene.index.Terms;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.FilterDirectory;
import org.apache.lucene.util.BytesRef;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.runtime.TermEncoder;
import org.semanticbm25.similarity.field.AttachedTerms;
import org.semanticbm25.similarity.field.SemanticField;
import org.semanticbm25.similarity.field.SurfaceForms;
import org.semanticbm25.similarity.model.Interruption;
import org.semanticbm25.similarity.model.SemanticBM25Model;
import org.semanticbm25.similarity.model.TermProjection;
import org.semanticbm25.similarity.model.TermVectors;
import org.semanticbm25.similarity.model.WordTable;
import org.semanticbm25.similarity.model.Wordpieces;

/**
 * Gives the rare words of an index vectors and weights of their own: reads the terms of a field,
 * changes nothing.
 *
 * <p>For each term of the dictionary that the model's words do not cover it finds the word that the
 * analyzer made the term of ({@link SurfaceForms}) and runs that through the neural model; of the
 * hidden state the {@link TermProjection} makes the term's vector and its weight. What is no word,
 * or cannot be spelt with the model's wordpieces, is left out.
 *
 * <p>Not thread-safe.
 */
public final class Attacher {
  private static final int COMPARED_WORDS = 64;
  // terms whose states are held at a time
  private static final int AT_ONCE = 10_000;
  private static final double LEAST_LIKENESS = 0.9;

  private final SemanticBM25Model model;
  private final TermEncoder encoder;
  private final Progress progress;

  /**
   * Makes an attacher.
   *
   * @param model the extracted model
   * @param encoder the neural model that {@code model} was extracted from, or one that gives words
   *     nearly the same vectors, as a later training of it may; with states of the same layer
   * @param progress hears how far the work is
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
   * Encodes the terms of a field that the model's words do not cover.
   *
   * @param reader of the index
   * @param field an indexed text field
   * @param analyzer the one that the field was indexed with
   * @param leastDocuments terms that stand in fewer are left out; 1 for all terms
   * @return the terms, for {@link SemanticField#withAttached}
   * @throws IllegalArgumentException if the index has no terms in such a field, the encoder is of
   *     another model, or {@code leastDocuments} is less than 1
   * @throws IOException if the index cannot be read or the neural model fails, or as an {@code
   *     InterruptedIOException} if the thread is interrupted
   */
  public AttachedTerms attach(
      DirectoryReader reader, String field, Analyzer analyzer, int leastDocuments)
      throws IOException {
    Terms dictionary = MultiTerms.getTerms(reader, field);
    if (dictionary == null) {
      throw new IllegalArgumentException("the index has no terms in a field '" + field + "'");
    }
    if (leastDocuments < 1) {
      throw new IllegalArgumentException(
          "illegal least number of documents: %s, must be 1 or more".formatted(leastDocuments));
    }
    checkEncoder();
    SemanticField known = SemanticField.of(model, field, analyzer);
    SurfaceForms surfaces = new SurfaceForms(field, analyzer);
    surfaces.addStoredText(reader);
    long all = count(dictionary);
    AttachedTerms.Builder attached = new AttachedTerms.Builder(model.vectors().dimensions());
    List<BytesRef> terms = new ArrayList<>();
    List<String> words = new ArrayList<>();
    progress.report("attaching terms", 0, all);
    TermsEnum each = dictionary.iterator();
    long done = 0;
    for (BytesRef term = each.next(); term != null; term = each.next()) {
      Interruption.check("attaching");
      boolean wanted = each.docFreq() >= leastDocuments && !known.knows(term);
      String word = wanted ? surfaces.of(term) : "";
      if (Wordpieces.isWord(word) && model.wordpieces().spell(word).length > 0) {
        terms.add(BytesRef.deepCopyOf(term));
        words.add(word);
      }
      done++;
      if (terms.size() == AT_ONCE || done == all) {
        encode(terms, words, attached);
        terms.clear();
        words.clear();
        progress.report("attaching terms", done, all);
      }
    }
    return attached.build(
        new AttachedTerms.Origin(
            place(reader.directory()), all, field, known.analysis(), model.id()));
  }

  private static long count(Terms dictionary) throws IOException {
    TermsEnum each = dictionary.iterator();
    long count = 0;
    while (each.next() != null) {
      Interruption.check("attaching");
      count++;
    }
    return count;
  }

  private void checkEncoder() throws IOException {
    if (!encoder.model().sha256().equals(model.provenance().sourceSha256())
        && likeness() < LEAST_LIKENESS) {
      throw new IllegalArgumentException(
          "%s: is not the ONNX model that the model file was extracted from (%s), nor like it; give that as the encoder"
              .formatted(encoder.model().onnx(), model.provenance().source()));
    }
  }

  /** Mean cosine of the encoder's vectors of some words with the model's; 0 if it has no words. */
  private double likeness() throws IOException {
    WordTable known = model.words();
    List<Integer> compared = new ArrayList<>();
    for (int i = 0; i < known.size(); i += Math.max(1, known.size() / COMPARED_WORDS)) {
      compared.add(i);
    }
    float[][] states =
        encoder.encodeWords(compared.stream().map(known::word).toList(), Progress.SILENT);
    if (states.length == 0 || states[0].length != model.projection().hidden()) {
      return 0;
    }
    TermVectors.Builder own = new TermVectors.Builder(model.vectors().dimensions());
    for (float[] state : states) {
      own.add(model.projection().vector(state));
    }
    TermVectors vectors = own.build();
    return IntStream.range(0, states.length)
        .mapToDouble(i -> vectors.cosine(i, known.vectors(), compared.get(i)))
        .average()
        .orElse(0);
  }

  private void encode(List<BytesRef> terms, List<String> words, AttachedTerms.Builder attached)
      throws IOException {
    float[][] states = encoder.encodeWords(words, Progress.SILENT);
    for (int i = 0; i < states.length; i++) {
      attached.add(
          terms.get(i),
          model.projection().vector(states[i]),
          model.projection().weight(states[i]),
          model.idf(model.wordpieces().spell(words.get(i))));
    }
  }

  private static String place(Directory directory) {
    return FilterDirectory.unwrap(directory) instanceof FSDirectory folder
        ? folder.getDirectory().toString()
        : directory.toString();
  }
}
