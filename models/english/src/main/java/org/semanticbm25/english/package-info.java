/**
 * The English model, which works on any English index without preparation: see {@link
 * org.semanticbm25.english.EnglishModel} and {@link
 * org.semanticbm25.similarity.field.SemanticField}.
 */
package org.semanticbm25.english;
