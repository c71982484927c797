/** The sbm25 command line. */
package org.semanticbm25.eval.cli;
