package org.semanticbm25.opensearch;

import java.io.IOException;
import java.util.Objects;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.MatchNoDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.QueryVisitor;
import org.jspecify.annotations.Nullable;
import org.opensearch.common.lucene.search.Queries;
import org.opensearch.core.ParseField;
import org.opensearch.core.common.ParsingException;
import org.opensearch.core.common.io.stream.StreamInput;
import org.opensearch.core.common.io.stream.StreamOutput;
import org.opensearch.core.xcontent.AbstractObjectParser;
import org.opensearch.core.xcontent.ObjectParser.ValueType;
import org.opensearch.core.xcontent.XContentBuilder;
import org.opensearch.core.xcontent.XContentParser;
import org.opensearch.core.xcontent.XContentParser.Token;
import org.opensearch.index.mapper.MappedFieldType;
import org.opensearch.index.query.AbstractQueryBuilder;
import org.opensearch.index.query.QueryShardContext;
import org.opensearch.index.query.WithFieldName;

/**
 * A query of a text in a field, {@code {NAME: {FIELD: TEXT}}} or {@code {NAME: {FIELD: {"query":
 * TEXT, ...}}}}.
 */
abstract class TextQueryBuilder<B extends TextQueryBuilder<B>> extends AbstractQueryBuilder<B>
    implements WithFieldName {
  private static final ParseField QUERY = new ParseField("query");
  private static final ParseField MODEL = new ParseField("model");
  private static final ParseField MINIMUM = new ParseField("minimum_should_match");

  private final String field;
  private @Nullable String text;
  private String model = Models.BUNDLED;
  private @Nullable String minimumShouldMatch;

  TextQueryBuilder(String field) {
    this.field = field;
  }

  TextQueryBuilder(StreamInput in) throws IOException {
    super(in);
    field = in.readString();
    text = in.readString();
    model = in.readString();
    minimumShouldMatch = in.readOptionalString();
  }

  @Override
  protected void doWriteTo(StreamOutput out) throws IOException {
    out.writeString(field);
    out.writeString(text());
    out.writeString(model);
    out.writeOptionalString(minimumShouldMatch);
  }

  /** What all these queries have beside their field. */
  static <B extends TextQueryBuilder<B>> void declare(AbstractObjectParser<B, Void> parser) {
    parser.declareString(TextQueryBuilder::text, QUERY);
    parser.declareString(TextQueryBuilder::model, MODEL);
    parser.declareField(
        TextQueryBuilder::minimumShouldMatch, XContentParser::text, MINIMUM, ValueType.VALUE);
    declareStandardFields(parser);
    parser.declareRequiredFieldSet(QUERY.getPreferredName());
  }

  void text(String value) {
    text = value;
  }

  void model(String value) {
    model = value;
  }

  void minimumShouldMatch(String value) {
    minimumShouldMatch = value;
  }

  /** Reads the options of a field. */
  interface Options<B> {
    B parse(XContentParser parser, B query) throws IOException;
  }

  /** Makes a query of a field. */
  interface Maker<B> {
    B make(String field);
  }

  /** Reads {@code {FIELD: ...}}, of which the parser has seen the brace. */
  static <B extends TextQueryBuilder<B>> B parse(
      String name, XContentParser parser, Maker<B> maker, Options<B> options) throws IOException {
    if (parser.nextToken() != Token.FIELD_NAME) {
      throw new ParsingException(parser.getTokenLocation(), "[" + name + "] needs a field");
    }
    B query = maker.make(parser.currentName());
    Token value = parser.nextToken();
    if (value == Token.START_OBJECT) {
      options.parse(parser, query);
    } else if (value.isValue() && value != Token.VALUE_NULL) {
      query.text(parser.text());
    } else {
      throw new ParsingException(
          parser.getTokenLocation(), "[" + name + "] needs a text, or an object with [query]");
    }
    if (parser.nextToken() != Token.END_OBJECT) {
      throw new ParsingException(
          parser.getTokenLocation(), "[" + name + "] takes one field, but has further ones");
    }
    return query;
  }

  @Override
  protected void doXContent(XContentBuilder builder, Params params) throws IOException {
    builder.startObject(getName()).startObject(field);
    builder.field(QUERY.getPreferredName(), text());
    builder.field(MODEL.getPreferredName(), model);
    if (minimumShouldMatch != null) {
      builder.field(MINIMUM.getPreferredName(), minimumShouldMatch);
    }
    options(builder);
    printBoostAndQueryName(builder);
    builder.endObject().endObject();
  }

  /** Writes further options. */
  abstract void options(XContentBuilder builder) throws IOException;

  @Override
  public String fieldName() {
    return field;
  }

  /** The text of the query. */
  String text() {
    return Objects.requireNonNull(text, "required when parsed");
  }

  String model() {
    return model;
  }

  @Override
  protected final Query doToQuery(QueryShardContext context) throws IOException {
    MappedFieldType type = context.fieldMapper(field);
    if (type == null) {
      return new MatchNoDocsQuery("no field [" + field + "]");
    }
    if (!type.getTextSearchInfo().isTokenized() || !type.isSearchable()) {
      throw new IllegalArgumentException(
          "[%s] needs an indexed text field, but [%s] is of type [%s]"
              .formatted(getName(), field, type.typeName()));
    }
    Query query = query(type, context);
    checkTerms(query);
    return Queries.maybeApplyMinimumShouldMatch(query, minimumShouldMatch);
  }

  /** The query on a text field. */
  abstract Query query(MappedFieldType type, QueryShardContext context) throws IOException;

  /** A searcher would refuse too many terms later, as a failure of the server. */
  private void checkTerms(Query query) {
    int[] count = {0};
    query.visit(
        new QueryVisitor() {
          @Override
          public void consumeTerms(Query leaf, Term... terms) {
            count[0] += terms.length;
          }
        });
    if (count[0] > IndexSearcher.getMaxClauseCount()) {
      throw new IllegalArgumentException(
          "[%s] has %s terms, with soft terms, but the limit is %s; give a shorter text or fewer soft terms"
              .formatted(getName(), count[0], IndexSearcher.getMaxClauseCount()));
    }
  }

  @Override
  protected boolean doEquals(B other) {
    TextQueryBuilder<B> o = other;
    return field.equals(o.field)
        && text().equals(o.text())
        && model.equals(o.model)
        && Objects.equals(minimumShouldMatch, o.minimumShouldMatch);
  }

  @Override
  protected int doHashCode() {
    return Objects.hash(field, text, model, minimumShouldMatch);
  }
}
