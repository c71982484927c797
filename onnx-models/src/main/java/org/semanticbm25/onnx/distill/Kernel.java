package org.semanticbm25.onnx.distill;

import org.semanticbm25.similarity.model.ScoringParameters;
import org.semanticbm25.similarity.model.TermProjection;

/** What is fitted. */
public record Kernel(ScoringParameters parameters, TermProjection projection) {}
