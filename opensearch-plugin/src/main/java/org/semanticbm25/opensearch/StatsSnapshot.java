package org.semanticbm25.opensearch;

import java.io.IOException;
import java.util.List;
import org.opensearch.core.common.io.stream.StreamInput;
import org.opensearch.core.common.io.stream.StreamOutput;
import org.opensearch.core.common.io.stream.Writeable;
import org.opensearch.core.xcontent.ToXContentFragment;
import org.opensearch.core.xcontent.XContentBuilder;

/**
 * {@link NodeStats} at one moment.
 *
 * @param running requests that are being reranked
 * @param reranked requests since the node started, those that timed out among them
 * @param passages that were to be scored for them
 * @param rejected requests, because too many were running
 * @param timedOut requests that kept the order of the first pass
 * @param latency requests by time: fewer than 2^i milliseconds, and the rest
 * @param encodedPassages at ingestion
 * @param encodingMillis time that took, of all threads together
 * @param cacheHits how often a query found its model on its field in the cache
 * @param cacheMisses how often that had to be made
 */
record StatsSnapshot(
    int running,
    long reranked,
    long passages,
    long rejected,
    long timedOut,
    List<Long> latency,
    long encodedPassages,
    long encodingMillis,
    long cacheHits,
    long cacheMisses)
    implements Writeable, ToXContentFragment {
  StatsSnapshot(StreamInput in) throws IOException {
    this(
        in.readVInt(),
        in.readVLong(),
        in.readVLong(),
        in.readVLong(),
        in.readVLong(),
        in.readList(StreamInput::readVLong),
        in.readVLong(),
        in.readVLong(),
        in.readVLong(),
        in.readVLong());
  }

  @Override
  public void writeTo(StreamOutput out) throws IOException {
    out.writeVInt(running);
    out.writeVLong(reranked);
    out.writeVLong(passages);
    out.writeVLong(rejected);
    out.writeVLong(timedOut);
    out.writeCollection(latency, StreamOutput::writeVLong);
    out.writeVLong(encodedPassages);
    out.writeVLong(encodingMillis);
    out.writeVLong(cacheHits);
    out.writeVLong(cacheMisses);
  }

  @Override
  public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
    builder
        .startObject("rerank")
        .field("running", running)
        .field("requests", reranked)
        .field("passages", passages)
        .field("rejected", rejected)
        .field("timed_out", timedOut)
        .startObject("latency_ms");
    for (int i = 0; i < latency.size(); i++) {
      String bucket = i == latency.size() - 1 ? "more" : "below_" + (1 << i);
      builder.field(bucket, latency.get(i));
    }
    return builder
        .endObject()
        .endObject()
        .startObject("soft_terms")
        .field("passages", encodedPassages)
        .field("time_in_millis", encodingMillis)
        .endObject()
        .startObject("field_cache")
        .field("hits", cacheHits)
        .field("misses", cacheMisses)
        .endObject();
  }
}
