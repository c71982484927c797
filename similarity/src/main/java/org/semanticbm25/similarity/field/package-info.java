/**
 * A model applied to a field of an index: what a search engineer needs.
 *
 * <h2>How to start</h2>
 *
 * <p>{@link org.semanticbm25.similarity.field.SemanticField} ties model, field and analyzer
 * together. It works on any index that has the field, without preparation. {@link
 * org.semanticbm25.similarity.field.SemanticQueryBuilder} builds queries term by term. {@link
 * org.semanticbm25.similarity.field.AttachedTerms} are the rare words of an index, which may be
 * added.
 *
 * <h2>How to tune</h2>
 *
 * <p>{@code k1} and {@code b} of {@link org.semanticbm25.similarity.model.ScoringParameters} mean
 * what they mean in BM25 and are worth tuning per collection. {@code scale} says how much a perfect
 * soft match is worth, {@code threshold} and {@code exponent} how fast weaker ones fade. {@code
 * maxSoftTerms} is the dial for cost: each soft term adds a postings list.
 *
 * <h2>What it costs</h2>
 *
 * <p>Making a field takes about half a second for 80,000 words. The neighbours of a query term are
 * found once, in a millisecond, and cached. docs/results.md has measured ratios to plain BM25.
 */
package org.semanticbm25.similarity.field;
