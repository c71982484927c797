/**
 * The file that an extraction makes, and its parts: {@link
 * org.semanticbm25.similarity.model.SemanticBM25Model} with {@link
 * org.semanticbm25.similarity.model.WordTable}, {@link
 * org.semanticbm25.similarity.model.Wordpieces}, {@link
 * org.semanticbm25.similarity.model.TermVectors}, {@link
 * org.semanticbm25.similarity.model.TermProjection} and {@link
 * org.semanticbm25.similarity.model.ScoringParameters}.
 */
package org.semanticbm25.similarity.model;
