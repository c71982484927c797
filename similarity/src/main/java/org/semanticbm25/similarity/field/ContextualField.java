package org.semanticbm25.similarity.field;

import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SequencedSet;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.document.FieldType;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.MatchNoDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.util.BytesRef;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.similarity.model.ContextualModel;
import org.semanticbm25.similarity.model.ContextualModel.Parameters;
import org.semanticbm25.similarity.model.SoftFrequencies;
import org.semanticbm25.similarity.search.ContextualTermQuery;

/**
 * A contextual model applied to a text field: what is stored of a passage, and how a query is made.
 * Soft frequencies are stored in a field beside the text's, {@link #softField}.
 *
 * <p>A frequency of the soft field is {@code S / (1 - b + b * dl / avgdl)} in units of 1/{@value
 * ContextualTermQuery#UNIT}, rounded, at least 1. All terms of the passage have one, and of those
 * that do not stand in it the ones that can add most to a score. The lengths are of the analyzed
 * text; avgdl is a property of the index, given when it is written. Every passage of an index must
 * be written with the same one.
 *
 * <p>Immutable and thread-safe.
 *
 * @lucene.experimental
 */
public final class ContextualField {
  /** Name of the attribute of a soft field that holds the mean length it was written with. */
  public static final String MEAN_LENGTH = "semanticbm25.contextual.avgdl";

  private static final String SUFFIX = "_soft";

  private final ContextualModel model;
  private final String field;
  private final Analyzer analyzer;
  // of the model's terms and the field's: the number of a term, and the term of a number
  private final Map<BytesRef, Integer> numbers;
  private final @Nullable BytesRef[] terms;

  private ContextualField(ContextualModel model, String field, Analyzer analyzer) {
    this.model = model;
    this.field = field;
    this.analyzer = analyzer;
    this.numbers = HashMap.newHashMap(model.size());
    this.terms = new @Nullable BytesRef[model.size()];
    for (int i = 0; i < terms.length; i++) {
      Set<BytesRef> analyzed = frequencies(model.word(i)).keySet();
      if (analyzed.size() == 1) {
        BytesRef term = analyzed.iterator().next();
        if (numbers.putIfAbsent(term, i) == null) {
          terms[i] = term;
        }
      }
    }
  }

  /**
   * Applies a model to a field.
   *
   * @param model terms and numbers
   * @param field the text's
   * @param analyzer the one that the field is indexed with
   * @return the field
   */
  public static ContextualField of(ContextualModel model, String field, Analyzer analyzer) {
    return new ContextualField(model, field, analyzer);
  }

  /**
   * The model.
   *
   * @return terms and numbers
   */
  public ContextualModel model() {
    return model;
  }

  /**
   * Name of the field with the soft frequencies.
   *
   * @return the text field's with {@code _soft} after it
   */
  public String softField() {
    return field + SUFFIX;
  }

  private SortedMap<BytesRef, Integer> frequencies(String text) {
    SortedMap<BytesRef, Integer> found = new TreeMap<>();
    Analysis.of(
        analyzer,
        field,
        text,
        (term, word) -> found.merge(BytesRef.deepCopyOf(term), 1, Integer::sum));
    return found;
  }

  /** A soft term that may be stored. */
  private record Candidate(BytesRef term, float value, double worth) {}

  /**
   * What is to be stored of a passage.
   *
   * @param text of the passage
   * @param soft what an encoder of this model found in it
   * @param meanLength avgdl, the number of terms of a passage on average, positive
   * @param maxSoftTerms most terms that do not stand in the passage, 0 or more
   * @return a field to be indexed beside the text's; without terms for a text without terms
   * @throws IllegalArgumentException if a number is out of its range
   */
  public SoftTermField softTerms(
      String text, SoftFrequencies soft, float meanLength, int maxSoftTerms) {
    if (!(meanLength > 0f) || maxSoftTerms < 0) {
      throw new IllegalArgumentException(
          "illegal mean length or number of soft terms: %s, %d; must be positive, and 0 or more"
              .formatted(meanLength, maxSoftTerms));
    }
    SortedMap<BytesRef, Integer> literal = frequencies(text);
    SortedMap<BytesRef, Integer> stored = new TreeMap<>();
    if (!literal.isEmpty()) {
      int length = literal.values().stream().mapToInt(Integer::intValue).sum();
      float norm = model.parameters().norm(length, meanLength);
      values(literal, soft, norm, maxSoftTerms)
          .forEach((term, value) -> stored.put(term, ContextualTermQuery.frequency(value)));
    }
    return new SoftTermField(softField(), type(meanLength), stored);
  }

  private FieldType type(float meanLength) {
    return SoftTermField.type(
        Map.of(ContextualTermQuery.MODEL, model.id(), MEAN_LENGTH, Float.toString(meanLength)));
  }

  private Map<BytesRef, Float> values(
      Map<BytesRef, Integer> literal, SoftFrequencies soft, float norm, int maxSoftTerms) {
    Map<BytesRef, Float> values = new HashMap<>();
    literal.forEach((term, frequency) -> values.put(term, frequency / norm));
    PriorityQueue<Candidate> best =
        new PriorityQueue<>(
            Comparator.comparingDouble(Candidate::worth)
                .thenComparing(Candidate::term, Comparator.reverseOrder()));
    for (int i = 0; i < soft.size(); i++) {
      BytesRef term = terms[soft.term(i)];
      float value = soft.frequency(i) / norm;
      if (term != null && literal.containsKey(term)) {
        values.merge(term, value, Float::sum);
      } else if (term != null) {
        best.add(new Candidate(term, value, worth(soft.term(i), value)));
        if (best.size() > maxSoftTerms) {
          best.remove();
        }
      }
    }
    best.forEach(candidate -> values.put(candidate.term(), candidate.value()));
    return values;
  }

  /** What a term can add to a score. */
  private double worth(int i, float value) {
    Parameters parameters = model.parameters();
    return model.idf(i) * model.weight(i) * value / (value + parameters.k1());
  }

  /**
   * Makes a query of a text: a disjunction of its different terms.
   *
   * @param text any text
   * @return a query that matches nothing if there are no terms
   */
  public Query query(String text) {
    SequencedSet<BytesRef> different = new LinkedHashSet<>();
    Analysis.of(analyzer, field, text, (term, word) -> different.add(BytesRef.deepCopyOf(term)));
    if (different.isEmpty()) {
      return new MatchNoDocsQuery("no terms in: " + text);
    }
    BooleanQuery.Builder any = new BooleanQuery.Builder();
    different.forEach(term -> any.add(termQuery(term), Occur.SHOULD));
    return any.build();
  }

  /**
   * Makes a query of one term, to be put into any other query.
   *
   * @param term of the text field
   * @return its soft frequency's score
   */
  public Query termQuery(BytesRef term) {
    Integer number = numbers.get(term);
    return new ContextualTermQuery(
        new Term(softField(), term),
        field,
        model.id(),
        model.parameters().k1(),
        number == null ? 1f : model.weight(number),
        number == null ? 0f : model.idf(number));
  }
}
