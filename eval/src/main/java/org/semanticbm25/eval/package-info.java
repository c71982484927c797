/**
 * Collections, runs, measures, significance and the {@code sbm25} command line.
 *
 * <p>{@link org.semanticbm25.eval.Measure} agrees with trec_eval to every printed digit. To follow a
 * query from the command line to its score, start at {@code SearchCommand}, and go on in {@link
 * org.semanticbm25.lucene.SemanticBM25#query}.
 */
package org.semanticbm25.eval;
