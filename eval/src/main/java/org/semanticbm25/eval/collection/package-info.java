/** Test collections, their indexes, runs, and the systems that rank them. */
package org.semanticbm25.eval.collection;
