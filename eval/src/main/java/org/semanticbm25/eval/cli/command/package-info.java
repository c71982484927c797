/** The commands of sbm25. */
package org.semanticbm25.eval.cli.command;
