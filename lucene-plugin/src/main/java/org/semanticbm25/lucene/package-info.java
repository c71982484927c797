/**
 * Rescorers with a cross-encoder ({@link org.semanticbm25.lucene.CrossEncoderRescorer}) and with
 * the attention of its first layers ({@link org.semanticbm25.lucene.AttentionRescorer}), and {@link
 * org.semanticbm25.lucene.Attacher}, which gives the rare words of an index vectors of their own. A
 * plain search needs none of them: see {@code org.semanticbm25.similarity.field}.
 */
package org.semanticbm25.lucene;
