/**
 * Models on disk, on the class path and on the network: {@link
 * org.semanticbm25.onnx.hub.NeuralModel}, {@link org.semanticbm25.onnx.hub.ModelDownload}.
 */
package org.semanticbm25.onnx.hub;
