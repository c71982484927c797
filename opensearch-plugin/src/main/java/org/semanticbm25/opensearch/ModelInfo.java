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
 */
record ModelInfo(String name, String kind, String digest) implements Writeable, ToXContentObject {
  ModelInfo(StreamInput in) throws IOException {
    this(in.readString(), in.readString(), in.readString());
  }

  @Override
  public void writeTo(StreamOutput out) throws IOException {
    out.writeString(name);
    out.writeString(kind);
    out.writeString(digest);
  }

  @Override
  public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
    return builder
        .startObject()
        .field("name", name)
        .field("kind", kind)
        .field("digest", digest)
        .endObject();
  }
}
