package org.semanticbm25.opensearch;

import java.util.List;
import java.util.stream.Collectors;
import org.apache.lucene.index.LeafReaderContext;
import org.jspecify.annotations.Nullable;
import org.opensearch.index.query.QueryShardContext;
import org.opensearch.search.lookup.SourceLookup;
import org.semanticbm25.lucene.PassageSource;

/** Reads the text of a field from the source of a document. */
final class SourceTexts implements PassageSource {
  // characters; a model reads fewer, and many hits' texts are held at a time
  private static final int MAX_LENGTH = 8_000;

  private final QueryShardContext context;
  private final String field;

  SourceTexts(QueryShardContext context, String field) {
    this.context = context;
    this.field = field;
  }

  @Override
  public Passages open(LeafReaderContext leaf) {
    SourceLookup source = context.newFetchLookup().source();
    return doc -> {
      source.setSegmentAndDocument(leaf, doc);
      return source.loadSourceIfNeeded() == null ? null : text(source.extractRawValues(field));
    };
  }

  private static @Nullable String text(List<Object> values) {
    String text = values.stream().map(String::valueOf).collect(Collectors.joining(" "));
    return values.isEmpty() ? null : text.substring(0, Math.min(MAX_LENGTH, text.length()));
  }
}
