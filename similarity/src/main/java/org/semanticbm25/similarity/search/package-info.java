/**
 * Semantic BM25 as Lucene scoring.
 *
 * <p>{@link org.semanticbm25.similarity.search.SoftTermQuery} is a query term and the terms that
 * count as part of it. It works with any similarity, and soft terms may come from anywhere, such as
 * a thesaurus. {@link org.semanticbm25.similarity.search.SemanticBM25Similarity} is BM25 with a
 * share of the IDF that a model keeps in its embeddings. It reads the norms of {@code
 * BM25Similarity}: no re-indexing.
 *
 * <p>A soft-term query reads the postings of all its terms, skips blocks by merged impacts, and
 * allocates one window of 4,096 documents.
 */
package org.semanticbm25.similarity.search;
