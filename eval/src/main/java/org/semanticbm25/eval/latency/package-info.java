/** Times systems against each other. */
package org.semanticbm25.eval.latency;
