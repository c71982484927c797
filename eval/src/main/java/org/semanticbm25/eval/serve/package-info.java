/** A page to try queries and settings on an index. */
package org.semanticbm25.eval.serve;
