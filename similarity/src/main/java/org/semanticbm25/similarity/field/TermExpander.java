package org.semanticbm25.similarity.field;

import java.util.Comparator;
import java.util.List;
import org.apache.lucene.util.BytesRef;
import org.semanticbm25.similarity.field.NearestTerms.Neighbour;
import org.semanticbm25.similarity.model.ScoringParameters;

/** Gives a query term its weight and its soft terms, edits of words included. Thread-safe. */
final class TermExpander {
  private final ScoringParameters parameters;
  private final FieldTerms terms;
  private final RelatedTerms related;
  private final TermFactors factors;

  /** A term of the field and its share in the soft frequency, in (0, 1]. */
  record SoftTerm(BytesRef term, float weight) {}

  /**
   * @param factors 0 blocks a term
   */
  TermExpander(
      ScoringParameters parameters, FieldTerms terms, RelatedTerms related, TermFactors factors) {
    this.parameters = parameters;
    this.terms = terms;
    this.related = related;
    this.factors = factors;
  }

  /** The factor of edits and profiles, 1 if there is none. */
  float factor(BytesRef term) {
    return factors.of(term);
  }

  /**
   * How much a term counts as a query term, without its factor.
   *
   * @param word that the term was made of
   */
  float weight(BytesRef term, String word) {
    return (float) Math.pow(related.weight(term, word), parameters.weightExponent());
  }

  /**
   * The soft terms of a query term, heaviest first.
   *
   * @param word that the term was made of
   */
  List<SoftTerm> softTerms(BytesRef term, String word) {
    return related.neighbours(term, word).stream()
        .map(this::softTerm)
        .filter(soft -> soft.weight() > 0f)
        // stable: without factors the order stays
        .sorted(Comparator.comparingDouble(soft -> -soft.weight()))
        .limit(parameters.maxSoftTerms())
        .toList();
  }

  private SoftTerm softTerm(Neighbour neighbour) {
    BytesRef term = terms.term(neighbour.term());
    float kernel = parameters.kernel(neighbour.cosine());
    return new SoftTerm(term, Math.min(1f, kernel * factor(term)));
  }
}
