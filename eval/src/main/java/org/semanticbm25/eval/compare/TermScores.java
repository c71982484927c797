package org.semanticbm25.eval.compare;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.QueryRescorer;
import org.apache.lucene.search.QueryVisitor;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.search.TotalHits;
import org.semanticbm25.similarity.search.SoftTermQuery;

/** Scores of given documents by a query, as a whole or by its terms. */
final class TermScores {
  private TermScores() {}

  /** A query's score of each document, 0 where it does not match. */
  static float[] scores(IndexSearcher searcher, Query query, int... docs) throws IOException {
    float[] scores = new float[docs.length];
    if (docs.length == 0) {
      return scores;
    }
    ScoreDoc[] hits =
        Arrays.stream(docs).mapToObj(doc -> new ScoreDoc(doc, 0)).toArray(ScoreDoc[]::new);
    QueryRescorer rescorer =
        new QueryRescorer(query) {
          @Override
          protected float combine(float first, boolean matches, float second) {
            return matches ? second : 0;
          }
        };
    TopDocs given = new TopDocs(new TotalHits(docs.length, TotalHits.Relation.EQUAL_TO), hits);
    Map<Integer, Float> byDoc = new HashMap<>();
    for (ScoreDoc hit : rescorer.rescore(searcher, given, docs.length).scoreDocs) {
      byDoc.put(hit.doc, hit.score);
    }
    for (int i = 0; i < docs.length; i++) {
      scores[i] = byDoc.getOrDefault(docs[i], 0f);
    }
    return scores;
  }

  /** The score of each document by each term of a disjunction, in the order of the query. */
  static Map<String, float[]> byTerm(IndexSearcher searcher, Query query, int... docs)
      throws IOException {
    Map<String, float[]> scores = new LinkedHashMap<>();
    for (Query clause : clauses(query)) {
      String term = name(clause);
      if (!term.isEmpty()) {
        float[] own = scores(searcher, clause, docs);
        scores.merge(term, own, TermScores::sum);
      }
    }
    return scores;
  }

  private static float[] sum(float[] a, float[] b) {
    float[] sum = a.clone();
    IntStream.range(0, sum.length).forEach(i -> sum[i] += b[i]);
    return sum;
  }

  private static List<Query> clauses(Query query) {
    if (!(query instanceof BooleanQuery all)) {
      return List.of(query);
    }
    List<Query> clauses = new ArrayList<>();
    for (BooleanClause clause : all) {
      clauses.addAll(clauses(clause.query()));
    }
    return clauses;
  }

  /** The term that a clause is for; empty if it is for none. */
  private static String name(Query clause) {
    List<SoftTermQuery> soft = SoftTermQuery.in(clause);
    if (!soft.isEmpty()) {
      return soft.getFirst().getTerm().text();
    }
    List<Term> terms = new ArrayList<>();
    clause.visit(
        new QueryVisitor() {
          @Override
          public void consumeTerms(Query leaf, Term... some) {
            terms.addAll(List.of(some));
          }
        });
    return terms.isEmpty() ? "" : terms.getFirst().text();
  }

  /** Positions of scores, best first; ties stay in their order. */
  static int[] ranking(float... scores) {
    return IntStream.range(0, scores.length)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> -scores[i]))
        .mapToInt(i -> i)
        .toArray();
  }
}
