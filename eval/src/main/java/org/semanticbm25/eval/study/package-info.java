/** How much of a cross-encoder its extracted functions explain. */
package org.semanticbm25.eval.study;
