/** The full cross-encoder: {@link org.semanticbm25.onnx.crossencoder.CrossEncoder}. */
package org.semanticbm25.onnx.crossencoder;
