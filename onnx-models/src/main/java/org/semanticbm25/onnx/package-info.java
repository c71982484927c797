/**
 * All that touches a neural network. From the bottom to the top: {@code graph} reads and edits ONNX
 * graphs, {@code hub} finds and downloads models, {@code runtime} runs them, {@code crossencoder}
 * scores pairs, {@code attention} scores with the attention of the first layers, and {@code
 * distill} extracts functions from a cross-encoder. None of it is needed to search.
 */
package org.semanticbm25.onnx;
