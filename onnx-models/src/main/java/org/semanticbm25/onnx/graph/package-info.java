/**
 * ONNX graphs of BERT-family models: {@link org.semanticbm25.onnx.graph.OnnxGraph} reads them and
 * finds their parts; the other public classes make other graphs of them.
 */
package org.semanticbm25.onnx.graph;
