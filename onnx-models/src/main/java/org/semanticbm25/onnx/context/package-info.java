/** Soft term frequencies in context: what an encoder finds in a passage when it is indexed. */
package org.semanticbm25.onnx.context;
