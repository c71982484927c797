/** Systems side by side on one collection, and the page that shows them. */
package org.semanticbm25.eval.compare;
