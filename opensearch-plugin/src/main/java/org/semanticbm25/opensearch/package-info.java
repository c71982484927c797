/**
 * An OpenSearch plugin: semantic BM25 queries, soft terms in context at ingestion, and reranking
 * with a cross-encoder, on every shard of a cluster.
 */
@org.jspecify.annotations.NullMarked
package org.semanticbm25.opensearch;
