package org.semanticbm25.similarity.field;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import org.apache.lucene.document.FeatureField;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.util.BytesRef;
import org.semanticbm25.similarity.model.ContextualModel;
import org.semanticbm25.similarity.model.SoftFrequencies;
import org.semanticbm25.similarity.search.SoftFieldMark;

/**
 * Makes the soft fields of the passages of an index.
 *
 * <p>A term's {@link FeatureField} has the {@linkplain ContextualModel.Parameters#value value} of
 * literal and soft frequency, of which Lucene keeps nine significant bits. All terms of the passage
 * have one, and of those that do not stand in it the ones that can add most to a score. dl is the
 * number of terms that the analyzer makes of the passage. A {@link SoftFieldMark} records the model
 * and avgdl.
 *
 * <p>Immutable and thread-safe.
 *
 * @lucene.experimental
 */
public final class SoftTermFields {
  /** Most soft terms of a passage that are stored, unless a caller says otherwise. */
  public static final int DEFAULT_SOFT_TERMS = 150;

  private final ContextualField field;
  private final ContextualModel model;
  private final SoftFieldMark mark;
  private final float meanLength;
  private final int maxSoftTerms;

  /**
   * For any number of passages.
   *
   * @param field of the text
   * @param meanLength avgdl, the number of terms of a passage on average, positive and finite; the
   *     same for all passages of an index
   * @param maxSoftTerms most terms of a passage that do not stand in it, 0 or more
   * @throws IllegalArgumentException if a number is out of its range
   */
  public SoftTermFields(ContextualField field, float meanLength, int maxSoftTerms) {
    if (!(meanLength > 0f && Float.isFinite(meanLength))) {
      throw new IllegalArgumentException(
          "illegal mean length: " + meanLength + ", must be positive and finite");
    }
    if (maxSoftTerms < 0) {
      throw new IllegalArgumentException(
          "illegal number of soft terms: " + maxSoftTerms + ", must be 0 or more");
    }
    this.field = field;
    this.model = field.model();
    this.meanLength = meanLength;
    this.maxSoftTerms = maxSoftTerms;
    this.mark = new SoftFieldMark(model.id(), meanLength);
  }

  /**
   * The text field and its model.
   *
   * @return as it was given
   */
  public ContextualField field() {
    return field;
  }

  /**
   * Tells fields that can be searched together from others.
   *
   * @return model, mean length and number of soft terms
   */
  @Override
  public String toString() {
    return "%s, model %s, mean length %s, %s soft terms"
        .formatted(field.softField(), model.id(), meanLength, maxSoftTerms);
  }

  /**
   * The mean length of a text field's passages.
   *
   * @param reader of the whole index
   * @param field indexed text
   * @return terms of a passage on average, repetitions included
   * @throws IllegalArgumentException if the index has no terms in the field
   * @throws IOException if the index cannot be read
   */
  public static float meanLength(IndexReader reader, String field) throws IOException {
    int passages = reader.getDocCount(field);
    if (passages == 0) {
      throw new IllegalArgumentException("the index has no terms in a field '" + field + "'");
    }
    return (float) reader.getSumTotalTermFreq(field) / passages;
  }

  /**
   * For passages that are to be added to an index that has soft fields.
   *
   * @param field of the text
   * @param enriched the index that they are to be added to
   * @param maxSoftTerms most terms of a passage that do not stand in it, 0 or more
   * @return fields with the mean length of that index
   * @throws IllegalArgumentException if the index has no soft field, or one of another model or of
   *     several means
   * @throws IOException if the index cannot be read
   */
  public static SoftTermFields like(ContextualField field, IndexReader enriched, int maxSoftTerms)
      throws IOException {
    return new SoftTermFields(field, field.markIn(enriched).meanLength(), maxSoftTerms);
  }

  /** A soft term that may be stored. */
  private record Candidate(BytesRef term, float value, double worth) {}

  /**
   * What is to be stored of a passage.
   *
   * @param text of the passage
   * @param soft what an encoder of the model found in it
   * @return fields to be indexed beside the text's; none for a text without terms
   */
  public List<FeatureField> of(String text, SoftFrequencies soft) {
    List<BytesRef> terms = field.terms(text);
    if (terms.isEmpty()) {
      return List.of();
    }
    List<FeatureField> stored = new ArrayList<>();
    values(terms, soft)
        .forEach(
            (term, value) ->
                stored.add(new FeatureField(field.softField(), term.utf8ToString(), value)));
    stored.add(mark.field(field.softField()));
    return stored;
  }

  /** Values of the terms of a passage, and of the soft terms that can add most. */
  private Map<BytesRef, Float> values(List<BytesRef> literal, SoftFrequencies soft) {
    float length = literal.size() / meanLength;
    Map<BytesRef, Integer> frequencies = new HashMap<>();
    literal.forEach(term -> frequencies.merge(term, 1, Integer::sum));
    Map<BytesRef, Float> values = new HashMap<>();
    frequencies.forEach(
        (term, tf) ->
            values.put(term, model.parameters().value(field.weight(term), tf, 0, length)));
    PriorityQueue<Candidate> best =
        new PriorityQueue<>(
            Comparator.comparingDouble(Candidate::worth)
                .thenComparing(Candidate::term, Comparator.reverseOrder()));
    for (int i = 0; i < soft.size(); i++) {
      int number = soft.term(i);
      BytesRef term = field.term(number);
      if (term == null) {
        continue;
      }
      int tf = frequencies.getOrDefault(term, 0);
      float value = model.parameters().value(model.weight(number), tf, soft.frequency(i), length);
      if (tf > 0) {
        values.put(term, value);
      } else {
        best.add(new Candidate(term, value, worth(number, value)));
        if (best.size() > maxSoftTerms) {
          best.remove();
        }
      }
    }
    best.forEach(candidate -> values.put(candidate.term(), candidate.value()));
    return values;
  }

  /** What a soft term can add to a score, but for what is the same for all. */
  private double worth(int i, float value) {
    ContextualModel.Parameters parameters = model.parameters();
    return model.idf(i)
        * (model.weight(i) + parameters.literal())
        * value
        / (value + parameters.k1());
  }
}
