/**
 * All that touches a neural network: reading ONNX files, running them, and extracting semantic BM25.
 *
 * <p>{@link org.semanticbm25.onnx.Extractor} makes a model file of a {@link
 * org.semanticbm25.onnx.NeuralModel}: {@link org.semanticbm25.onnx.WordEmbeddings} finds the
 * embedding matrix, {@link org.semanticbm25.onnx.IdfDirection} its IDF direction, and {@link
 * org.semanticbm25.onnx.TermEncoder} runs terms through the network; {@link
 * org.semanticbm25.onnx.KernelFit} fits what is made of their states to a cross-encoder's scores. None of it is needed to search.
 *
 * <p>{@link org.semanticbm25.onnx.CrossEncoder} runs a full cross-encoder, {@link
 * org.semanticbm25.onnx.AttentionTaps} looks into its attention, {@link
 * org.semanticbm25.onnx.OnnxGraph} edits its graph, and {@link org.semanticbm25.onnx.ModelDownload}
 * fetches one. A cross-encoder costs milliseconds a pair: rerank a hundred hits with it, no more.
 *
 * <p>{@link org.semanticbm25.onnx.AttentionExtractor} fits functions of attention to its logits, on what
 * {@link org.semanticbm25.onnx.PairSampler} collects, and finds the matching heads; {@link
 * org.semanticbm25.onnx.AttentionScorer} scores with such a function.
 */
package org.semanticbm25.onnx;
