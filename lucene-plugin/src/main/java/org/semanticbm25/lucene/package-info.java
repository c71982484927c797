/**
 * What a search engineer drops in: semantic BM25 for a Lucene index that exists.
 *
 * <p>{@link org.semanticbm25.lucene.Attacher} reads the terms of a field once and relates them;
 * {@link org.semanticbm25.lucene.AttachedField} is what it found, as a side file; {@link
 * org.semanticbm25.lucene.SemanticBM25} turns texts into queries and scores them. The index is only
 * ever read. After many new documents attach again: terms that came since fall back to their
 * wordpieces.
 *
 * <p>{@link org.semanticbm25.lucene.CrossEncoderRescorer} reranks hits with a full cross-encoder, which
 * reads texts from a {@link org.semanticbm25.lucene.PassageSource}. {@link
 * org.semanticbm25.lucene.SemanticBM25Rescorer} does so with the attention of its first layers alone: an
 * approximation, faster the fewer layers it runs, and explained to the token.
 */
package org.semanticbm25.lucene;
