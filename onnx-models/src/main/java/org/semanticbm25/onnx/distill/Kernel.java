package org.semanticbm25.onnx.distill;

import org.semanticbm25.similarity.model.ScoringParameters;
import org.semanticbm25.similarity.model.TermProjection;

/**
 * What {@link KernelFit} fits.
 *
 * @param parameters of the semantic BM25 function
 * @param projection from hidden states of words to vectors and weights
 */
public record Kernel(ScoringParameters parameters, TermProjection projection) {}
