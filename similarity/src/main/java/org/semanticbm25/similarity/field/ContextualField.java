package org.semanticbm25.similarity.field;

import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.FieldInfos;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.MatchNoDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.util.BytesRef;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.similarity.model.ContextualModel;
import org.semanticbm25.similarity.model.Profile;
import org.semanticbm25.similarity.search.ContextualTermQuery;
import org.semanticbm25.similarity.search.SoftFieldMark;

/**
 * A contextual model applied to a text field: which terms of the field stand for the model's, and
 * how a query is made. Soft frequencies are in a field beside the text's, {@link #softField}.
 *
 * <p>Immutable and thread-safe.
 *
 * @lucene.experimental
 */
public final class ContextualField {
  private static final String SUFFIX = "_soft";

  private final ContextualModel model;
  private final String field;
  private final String softField;
  private final Analyzer analyzer;
  // of the model's terms and the field's: the number of a term, and the term of a number
  private final Map<BytesRef, Integer> numbers;
  private final @Nullable BytesRef[] terms;
  private final TermFactors profile;

  private ContextualField(
      ContextualModel model, String field, String softField, Analyzer analyzer) {
    this.model = model;
    this.field = field;
    this.softField = softField;
    this.analyzer = analyzer;
    this.numbers = HashMap.newHashMap(model.size());
    this.terms = new @Nullable BytesRef[model.size()];
    this.profile = TermFactors.NONE;
    for (int i = 0; i < terms.length; i++) {
      List<BytesRef> analyzed = terms(model.word(i));
      if (analyzed.size() == 1 && numbers.putIfAbsent(analyzed.getFirst(), i) == null) {
        terms[i] = analyzed.getFirst();
      }
    }
  }

  private ContextualField(ContextualField other, TermFactors profile) {
    this.model = other.model;
    this.field = other.field;
    this.softField = other.softField;
    this.analyzer = other.analyzer;
    this.numbers = other.numbers;
    this.terms = other.terms;
    this.profile = profile;
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
    return of(model, field, field + SUFFIX, analyzer);
  }

  /**
   * Applies a model to a field whose soft frequencies are in a field of another name.
   *
   * @param model terms and numbers
   * @param field the text's
   * @param softField the soft frequencies'
   * @param analyzer the one that the field is indexed with
   * @return the field
   */
  public static ContextualField of(
      ContextualModel model, String field, String softField, Analyzer analyzer) {
    return new ContextualField(model, field, softField, analyzer);
  }

  /**
   * The same for a user, a group or a request: factors of words as query terms. Factors of a term
   * multiply, with those of other profiles too; 0 takes the term out of queries.
   *
   * @param more factors of single words
   * @return a new field
   * @throws IllegalArgumentException if a word is several to the analyzer
   */
  public ContextualField withProfile(Profile more) {
    return new ContextualField(this, profile.times(TermFactors.of(more, field, analyzer)));
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
   * Name of the text field.
   *
   * @return as it was given
   */
  public String textField() {
    return field;
  }

  /**
   * Name of the field with the soft frequencies.
   *
   * @return the text field's with {@code _soft} after it, unless another was given
   */
  public String softField() {
    return softField;
  }

  /**
   * The terms of a text of the field.
   *
   * @param text any text
   * @return what the analyzer makes of it, in the order of the text
   */
  public List<BytesRef> terms(String text) {
    return Analysis.terms(analyzer, field, text);
  }

  /** The term of the field that stands for a term of the model; null if there is none. */
  @Nullable BytesRef term(int i) {
    return terms[i];
  }

  /**
   * Whether an index has soft frequencies of a text field, of whatever model, in any segment.
   *
   * @param reader of the index
   * @param textField name of the text field
   * @return true if it has
   */
  public static boolean isIn(IndexReader reader, String textField) {
    return FieldInfos.getIndexedFields(reader).contains(textField + SUFFIX);
  }

  /**
   * Checks that an index has soft frequencies of the field, all written with this model and for one
   * mean length of passages.
   *
   * @param reader of the index
   * @throws IllegalArgumentException if it has none, or those of another model or of several means
   * @throws IOException if the index cannot be read
   */
  public void check(IndexReader reader) throws IOException {
    markIn(reader);
  }

  /** The mark of an index that has the soft field. */
  SoftFieldMark markIn(IndexReader reader) throws IOException {
    Set<SoftFieldMark> marks = new LinkedHashSet<>();
    Set<SoftFieldMark> live = new LinkedHashSet<>();
    for (LeafReaderContext leaf : reader.leaves()) {
      for (SoftFieldMark mark : SoftFieldMark.in(leaf.reader(), softField())) {
        marks.add(mark);
        if (mark.isLiveIn(leaf.reader(), softField())) {
          live.add(mark);
        }
      }
    }
    if (marks.isEmpty()) {
      throw new IllegalArgumentException(
          "the index has no field '" + softField() + "' with soft frequencies; enrich it first");
    }
    for (SoftFieldMark mark : marks) {
      if (!model.id().equals(mark.model())) {
        throw new IllegalArgumentException(
            "field '%s' was written with the contextual model %s, not %s; give that one, or enrich the index anew"
                .formatted(softField(), mark.model(), model.id()));
      }
    }
    if (live.size() > 1) {
      throw new IllegalArgumentException(
          "field '%s' was written for mean lengths of %s terms, whose scores do not compare; enrich one part anew, for the mean of the other"
              .formatted(
                  softField(),
                  live.stream()
                      .map(mark -> Float.toString(mark.meanLength()))
                      .collect(Collectors.joining(" and "))));
    }
    return live.isEmpty() ? marks.iterator().next() : live.iterator().next();
  }

  /**
   * The term of the model that a term of the field stands for.
   *
   * @param term of the text field
   * @return its number; empty if the model does not know it
   */
  public OptionalInt number(BytesRef term) {
    Integer number = numbers.get(term);
    return number == null ? OptionalInt.empty() : OptionalInt.of(number);
  }

  /**
   * The terms that a query of a text has.
   *
   * @param text any text
   * @return the different terms that no profile blocks, in the order of the text
   */
  public Set<BytesRef> queryTerms(String text) {
    Set<BytesRef> different = new LinkedHashSet<>(terms(text));
    different.removeIf(term -> profile.of(term) == 0f);
    return different;
  }

  /**
   * Makes a query of a text: a disjunction of its different terms.
   *
   * @param text any text
   * @return a query that matches nothing if there are no terms
   */
  public Query query(String text) {
    Set<BytesRef> different = queryTerms(text);
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
   * @return its soft frequency's score, times the factor of profiles
   */
  public Query termQuery(BytesRef term) {
    float factor = profile.of(term);
    if (factor == 0f) {
      return new MatchNoDocsQuery("blocked term: " + Term.toString(term));
    }
    OptionalInt number = number(term);
    Query query =
        new ContextualTermQuery(
            new Term(softField(), term),
            field,
            model.id(),
            model.parameters().k1(),
            weight(term) + model.parameters().literal(),
            number.isEmpty() ? 0f : model.idf(number.getAsInt()));
    return factor == 1f ? query : new BoostQuery(query, factor);
  }

  /** How much the soft frequency of a term counts; 1 if the model does not know it. */
  float weight(BytesRef term) {
    OptionalInt number = number(term);
    return number.isEmpty() ? 1f : model.weight(number.getAsInt());
  }
}
