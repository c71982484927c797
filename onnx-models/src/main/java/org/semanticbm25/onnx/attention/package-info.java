/**
 * A cross-encoder's attention as a function of its own: {@link
 * org.semanticbm25.onnx.attention.AttentionTaps} reads it, {@link
 * org.semanticbm25.onnx.attention.AttentionScorer} scores with it.
 */
package org.semanticbm25.onnx.attention;
