package org.semanticbm25.similarity.search;

import org.apache.lucene.util.BytesRef;

/**
 * A term of a {@link SoftTermQuery} and its share in the soft frequency.
 *
 * @param bytes the term
 * @param weight in (0, 1]
 * @param exact whether it is the query term or a synonym of it, whose statistics count, and not a
 *     soft term
 */
record WeightedTerm(BytesRef bytes, float weight, boolean exact) {}
