/** Collections, measures, studies and the command line. */
package org.semanticbm25.eval;
