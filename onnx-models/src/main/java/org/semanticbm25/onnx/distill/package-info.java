/**
 * Extracts functions from a cross-encoder: {@link org.semanticbm25.onnx.distill.Extractor} the
 * static model, {@link org.semanticbm25.onnx.distill.AttentionExtractor} the functions of
 * attention, {@link org.semanticbm25.onnx.distill.KernelFit} fits the kernel between terms, {@link
 * org.semanticbm25.onnx.distill.Adaptation} adapts a model to a collection.
 */
package org.semanticbm25.onnx.distill;
