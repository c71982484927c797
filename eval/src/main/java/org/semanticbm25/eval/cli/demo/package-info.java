/** The demo on Lucene's Javadoc. */
package org.semanticbm25.eval.cli.demo;
