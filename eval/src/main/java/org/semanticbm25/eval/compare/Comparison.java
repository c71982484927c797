package org.semanticbm25.eval.compare;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All numbers of a comparison, as they are written to JSON and shown on the page.
 *
 * @param settings what it was made with
 * @param collections a part for each
 * @param heads of the cross-encoder; null if its attention is not among the systems
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Comparison(
    Map<String, Object> settings, List<Collection> collections, @Nullable Heads heads) {

  /**
   * One collection.
   *
   * @param name of its folder
   * @param passages in its index
   * @param queries how many were asked
   * @param allQueries that it has
   * @param judged whether there are judgements
   * @param pool hits of the first pass that the cross-encoder read, of each query
   * @param main the measure by which queries are shown
   * @param systems in the order in which they are shown; the first is the baseline
   * @param lengths the main measure by the length of the query
   * @param details of each query
   */
  public record Collection(
      String name,
      int passages,
      int queries,
      int allQueries,
      boolean judged,
      int pool,
      String main,
      List<SystemResult> systems,
      List<LengthResult> lengths,
      List<QueryResult> details) {}

  /**
   * A system on a collection.
   *
   * @param name in tables and run files
   * @param about one line for people
   * @param measures against judgements, by name; empty without
   * @param agreement with the cross-encoder, by name; empty for itself
   * @param millis of a query: the median, and for what reads passages the first pass's median and
   *     the time of the passages; null if unknown
   * @param cost of 1,000 queries at the given price; null if unknown
   * @param points a sample of pairs: the cross-encoder's logit, and the score of this system
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record SystemResult(
      String name,
      String about,
      Map<String, Double> measures,
      Map<String, Double> agreement,
      @Nullable Double millis,
      @Nullable Double cost,
      List<float[]> points) {}

  /**
   * Queries of like length.
   *
   * @param words how many they have, as in {@code 11 to 20}
   * @param queries how many they are
   * @param means of the main measure by system
   */
  public record LengthResult(String words, int queries, Map<String, Double> means) {}

  /**
   * A query.
   *
   * @param id in the collection
   * @param text as it was asked
   * @param values the main measure by system; none where the first pass finds nothing
   * @param terms of the query in the index, in the order of the query
   * @param hits the first ones by system, best first
   * @param passages what is shown of them, by id
   */
  public record QueryResult(
      String id,
      String text,
      Map<String, Double> values,
      List<QueryTerm> terms,
      Map<String, List<RankedHit>> hits,
      Map<String, PassageView> passages) {}

  /**
   * A term of a query.
   *
   * @param term as the index has it
   * @param idf of BM25
   * @param soft terms that count for it, with their share
   */
  public record QueryTerm(String term, double idf, Map<String, Float> soft) {}

  /** A hit; its rank is its place. */
  public record RankedHit(String id, float score) {}

  /**
   * A passage of a query.
   *
   * @param text its beginning
   * @param cut whether there is more
   * @param grade of the judgements; null without one
   * @param matches spans of the text: start, end, position of the query's term, share in percent
   * @param scores by system and term, in the order of the query's terms
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record PassageView(
      String text,
      boolean cut,
      @Nullable Integer grade,
      List<int[]> matches,
      Map<String, float[]> scores) {}

  /**
   * What the attention of each head counts for in the function of all layers.
   *
   * @param idf of the query's token that the weights are shown for
   * @param weights by layer and head
   */
  public record Heads(double idf, List<float[]> weights) {}
}
