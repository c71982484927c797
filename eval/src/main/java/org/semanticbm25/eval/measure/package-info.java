/** Measures of rankings, significance and agreement, in tables. */
package org.semanticbm25.eval.measure;
