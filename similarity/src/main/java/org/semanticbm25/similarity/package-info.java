/**
 * Semantic BM25 as Lucene scoring, without a neural runtime.
 *
 * <h2>What is here</h2>
 *
 * <ul>
 *   <li>{@link org.semanticbm25.similarity.SoftTermQuery}: a query term and the terms that count as
 *       part of it. This is where semantic matching happens, and it works with any similarity.
 *   <li>{@link org.semanticbm25.similarity.SemanticBM25Similarity}: BM25 with a share of the IDF that
 *       a model keeps in its embeddings. It reads the norms of {@code BM25Similarity}: no
 *       re-indexing.
 *   <li>{@link org.semanticbm25.similarity.SemanticBM25Model}: the file that an extraction makes.
 *   <li>{@link org.semanticbm25.similarity.TermProjection}: makes a word's vector and weight of its
 *       hidden state; learnt, and kept in the model.
 *   <li>{@link org.semanticbm25.similarity.ScoringParameters}: the few numbers of the function.
 * </ul>
 *
 * <h2>How to choose and tune</h2>
 *
 * <p>Most users want {@code SemanticBM25} of the Lucene plugin, which ties these together for one
 * field. {@code k1} and {@code b} mean what they mean in BM25 and are worth tuning per collection.
 * {@code scale} says how much a perfect soft match is worth, {@code threshold} and {@code exponent}
 * how fast weaker ones fade. {@code maxSoftTerms} is the dial for cost: each soft term adds a
 * postings list.
 *
 * <h2>What it costs</h2>
 *
 * <p>A soft-term query reads the postings of all its terms, skips blocks by merged impacts, and
 * allocates one window of 4,096 documents. The README has measured ratios to plain BM25. A model in
 * memory takes its vocabulary times the dimensions in bytes, some 4 MB for MiniLM.
 *
 * <h2>How to extend</h2>
 *
 * <p>Soft terms may come from anywhere: build {@code SoftTermQuery} from your own thesaurus or
 * vectors. IDF likewise: implement {@link org.semanticbm25.similarity.SemanticBM25Similarity.TermIdf}.
 */
package org.semanticbm25.similarity;
