/** Options that several commands share. */
package org.semanticbm25.eval.cli.option;
