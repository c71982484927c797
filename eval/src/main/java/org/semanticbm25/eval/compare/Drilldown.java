package org.semanticbm25.eval.compare;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.analysis.tokenattributes.OffsetAttribute;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.Query;
import org.jspecify.annotations.Nullable;
import org.semanticbm25.eval.collection.PassageTexts;
import org.semanticbm25.eval.collection.RankingSystem;
import org.semanticbm25.eval.compare.Comparison.PassageView;
import org.semanticbm25.eval.compare.Comparison.QueryTerm;
import org.semanticbm25.lucene.PassageSource;
import org.semanticbm25.similarity.search.SemanticBM25Similarity;
import org.semanticbm25.similarity.search.SoftTermQuery;

/**
 * Why a query's passages are ranked as they are: its terms, what stands for them in a passage, and
 * what each term adds to the scores. Thread-safe.
 */
public final class Drilldown {
  private static final int SHOWN_CHARACTERS = 700;

  private final IndexReader reader;
  private final String field;
  private final Analyzer analyzer;
  private final PassageTexts passages;

  /**
   * @param field that is searched
   * @param passages texts to show
   */
  public Drilldown(IndexReader reader, String field, Analyzer analyzer, PassageSource passages) {
    this.reader = reader;
    this.field = field;
    this.analyzer = analyzer;
    this.passages = new PassageTexts(reader, passages);
  }

  /**
   * The terms of a query.
   *
   * @param semantic what semantic BM25 makes of it
   */
  public List<QueryTerm> terms(Query semantic) throws IOException {
    List<QueryTerm> terms = new ArrayList<>();
    for (SoftTermQuery term : SoftTermQuery.in(semantic)) {
      Map<String, Float> soft = new LinkedHashMap<>();
      term.getSoftTerms().forEach(t -> soft.put(t.term().text(), t.weight()));
      String name = term.getTerm().text();
      if (terms.stream().noneMatch(t -> t.term().equals(name))) {
        terms.add(new QueryTerm(name, idf(term.getTerm()), soft));
      }
    }
    return terms;
  }

  private double idf(Term term) throws IOException {
    return SemanticBM25Similarity.bm25Idf(
        Math.max(1, reader.docFreq(term)), Math.max(1, reader.getDocCount(field)));
  }

  /**
   * Looks at passages of a query.
   *
   * @param terms of the query
   * @param systems whose scores are taken apart, by name
   * @param docs the passages
   * @param grades judgements by document; may lack some
   */
  public List<PassageView> passages(
      String query,
      List<QueryTerm> terms,
      Map<String, RankingSystem> systems,
      int[] docs,
      Map<Integer, Integer> grades)
      throws IOException {
    Map<String, Map<String, float[]>> scores = new LinkedHashMap<>();
    for (Map.Entry<String, RankingSystem> entry : systems.entrySet()) {
      RankingSystem system = entry.getValue();
      scores.put(entry.getKey(), TermScores.byTerm(system.searcher(), system.query(query), docs));
    }
    List<String> texts = passages.of(docs);
    List<PassageView> views = new ArrayList<>();
    for (int i = 0; i < docs.length; i++) {
      String text = texts.get(i);
      boolean cut = text.length() > SHOWN_CHARACTERS;
      String shown = cut ? beginning(text) : text;
      Map<String, float[]> own = new LinkedHashMap<>();
      for (Map.Entry<String, Map<String, float[]>> system : scores.entrySet()) {
        own.put(system.getKey(), ofPassage(system.getValue(), terms, i));
      }
      views.add(new PassageView(shown, cut, grades.get(docs[i]), matches(shown, terms), own));
    }
    return views;
  }

  private static String beginning(String text) {
    boolean splits = Character.isHighSurrogate(text.charAt(SHOWN_CHARACTERS - 1));
    return text.substring(0, SHOWN_CHARACTERS - (splits ? 1 : 0));
  }

  private static float[] ofPassage(
      Map<String, float[]> byTerm, List<QueryTerm> terms, int passage) {
    float[] own = new float[terms.size()];
    for (int t = 0; t < own.length; t++) {
      float[] scores = byTerm.get(terms.get(t).term());
      own[t] = scores == null ? 0 : scores[passage];
    }
    return own;
  }

  /** Where terms of the query stand, or soft terms of them. */
  private List<int[]> matches(String text, List<QueryTerm> terms) throws IOException {
    Map<String, int[]> known = new HashMap<>();
    for (int t = terms.size() - 1; t >= 0; t--) {
      int position = t;
      terms.get(t).soft().forEach((soft, w) -> strongest(known, soft, position, w));
    }
    for (int t = 0; t < terms.size(); t++) {
      known.put(terms.get(t).term(), new int[] {t, 100});
    }
    List<int[]> matches = new ArrayList<>();
    try (TokenStream tokens = analyzer.tokenStream(field, text)) {
      CharTermAttribute term = tokens.addAttribute(CharTermAttribute.class);
      OffsetAttribute offset = tokens.addAttribute(OffsetAttribute.class);
      tokens.reset();
      int end = 0;
      while (tokens.incrementToken()) {
        int @Nullable [] match = known.get(term.toString());
        if (match != null && offset.startOffset() >= end) {
          matches.add(new int[] {offset.startOffset(), offset.endOffset(), match[0], match[1]});
          end = offset.endOffset();
        }
      }
      tokens.end();
    }
    return matches;
  }

  private static void strongest(Map<String, int[]> known, String soft, int term, float weight) {
    int percent = Math.round(100 * weight);
    int[] former = known.get(soft);
    if (former == null || former[1] <= percent) {
      known.put(soft, new int[] {term, percent});
    }
  }
}
