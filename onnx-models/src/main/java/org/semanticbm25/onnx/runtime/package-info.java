/**
 * Runs graphs with ONNX Runtime: {@link org.semanticbm25.onnx.runtime.TermEncoder} for single
 * words, {@link org.semanticbm25.onnx.runtime.PairEngine} for a query with many passages.
 */
package org.semanticbm25.onnx.runtime;
