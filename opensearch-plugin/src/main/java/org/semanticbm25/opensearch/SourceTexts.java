package org.semanticbm25.opensearch;

import java.util.List;
import java.util.StringJoiner;
import org.apache.lucene.index.LeafReaderContext;
import org.jspecify.annotations.Nullable;
import org.opensearch.index.query.QueryShardContext;
import org.opensearch.search.lookup.SourceLookup;
import org.semanticbm25.lucene.PassageSource;

/** Reads the text of a field from the source of a document. */
final class SourceTexts implements PassageSource {
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
    StringJoiner text = new StringJoiner(" ");
    values.forEach(value -> text.add(String.valueOf(value)));
    return values.isEmpty() ? null : text.toString();
  }
}
