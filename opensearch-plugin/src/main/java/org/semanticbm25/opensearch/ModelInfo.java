package org.semanticbm25.opensearch;

import java.io.IOException;
import org.opensearch.core.common.io.stream.StreamInput;
import org.opensearch.core.common.io.stream.StreamOutput;
import org.opensearch.core.common.io.stream.Writeable;
import org.opensearch.core.xcontent.ToXContentObject;
import org.opensearch.core.xcontent.XContentBuilder;

/**
 * A model that a node has open.
 *
 * @param name that requests give
 * @param kind static, contextual, contextual_encoder, cross_encoder or attention
 * @param digest of its content
 * @param bytes of memory: on the heap for words and vectors; for the weights of a network, which
 *     are in native memory, the size of its file, of which attention needs a part and a
 *     cross-encoder of several threads two copies
 */
record ModelInfo(String name, String kind, String digest, long bytes)
    implements Writeable, ToXContentObject {
  ModelInfo(StreamInput in) throws IOException {
    this(in.readString(), in.readString(), in.readString(), in.readVLong());
  }

  @Override
  public void writeTo(StreamOutput out) throws IOException {
    out.writeString(name);
    out.writeString(kind);
    out.writeString(digest);
    out.writeVLong(bytes);
  }

  @Override
  public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
    return builder
        .startObject()
        .field("name", name)
        .field("kind", kind)
        .field("digest", digest)
        .field("memory_in_bytes", bytes)
        .endObject();
  }
}
