package org.semanticbm25.onnx.distill;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.QueryRescorer;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.search.TotalHits;
import org.semanticbm25.similarity.field.SemanticField;
import org.semanticbm25.similarity.model.WordEdit;
import org.semanticbm25.similarity.search.SoftTermQuery;

/**
 * Adapts semantic BM25 to the queries of a collection: chooses its parameters, and how much single
 * words count, so that it ranks candidates as a cross-encoder does. What is to be as large as
 * possible is the {@link Agreement#alignment()} with the cross-encoder.
 */
public final class Adaptation {
  private static final String REASON = "fit";
  private static final Pattern NO_WORD = Pattern.compile("[^\\p{L}\\p{N}]+");
  private static final float[] FACTORS = {0.5f, 0.7f, 1.4f, 2f};
  private static final int MIN_QUERIES = 3;

  /** Least gain, on all queries, for which a word is changed: less is as likely chance. */
  private static final double MIN_GAIN = 5e-4;

  private final IndexReader reader;
  private final String created;

  /**
   * A query, the candidates of the first pass, and the cross-encoder's logits of them.
   *
   * @param text of the query
   * @param docs numbers of the candidates in the index
   * @param logits by candidate, in the order of {@code docs}
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record ScoredQuery(String text, int[] docs, float[] logits) {}

  /**
   * Adapts to a collection.
   *
   * @param reader of the index that holds the candidates; not closed here
   * @param created ISO 8601 instant, for the record of edits
   */
  public Adaptation(IndexReader reader, String created) {
    this.reader = reader;
    this.created = created;
  }

  /**
   * The model that does best on some queries: first parameters are chosen by coordinate ascent,
   * then a factor for words that at least 3 of the queries share, where it gains enough.
   *
   * @param start whose parameters the ascent starts from, and whose edits are kept
   * @param queries to agree on, all of them for fitting
   * @return with the chosen parameters and further edits
   * @throws IOException if the index cannot be read
   */
  public SemanticField fit(SemanticField start, List<ScoredQuery> queries) throws IOException {
    SemanticField best =
        start.withParameters(
            new Tuner(Tuner.SEMANTIC_GRID)
                .ascend(
                    start.parameters(),
                    p -> agreement(start.withParameters(p), queries).alignment()));
    for (Map.Entry<String, List<ScoredQuery>> word : byWord(best, queries).entrySet()) {
      if (word.getValue().size() >= MIN_QUERIES) {
        best = corrected(best, word.getKey(), word.getValue(), queries.size());
      }
    }
    return best;
  }

  /** The queries of each word; of words with the same term all queries go to the first. */
  private static Map<String, List<ScoredQuery>> byWord(
      SemanticField semantic, List<ScoredQuery> queries) {
    Map<Term, String> words = new HashMap<>();
    Map<String, List<ScoredQuery>> byWord = new LinkedHashMap<>();
    for (ScoredQuery query : queries) {
      Set<Term> seen = new HashSet<>();
      for (String word : NO_WORD.split(query.text.toLowerCase(Locale.ROOT))) {
        List<SoftTermQuery> terms = SoftTermQuery.in(semantic.query(word));
        if (terms.size() == 1 && seen.add(terms.getFirst().getTerm())) {
          String first = words.computeIfAbsent(terms.getFirst().getTerm(), term -> word);
          byWord.computeIfAbsent(first, w -> new ArrayList<>()).add(query);
        }
      }
    }
    return byWord;
  }

  /** With the best factor for a word, judged by the queries that have it. */
  private SemanticField corrected(
      SemanticField semantic, String word, List<ScoredQuery> sharing, int allQueries)
      throws IOException {
    SemanticField best = semantic;
    double before = agreement(semantic, sharing).alignment();
    double least = before + MIN_GAIN * allQueries / sharing.size();
    for (float factor : FACTORS) {
      SemanticField edited =
          semantic.withEdits(List.of(new WordEdit(word, factor, REASON, created)));
      double after = agreement(edited, sharing).alignment();
      if (after > least) {
        least = after;
        best = edited;
      }
    }
    return best;
  }

  /**
   * How well semantic BM25 agrees with the cross-encoder on the candidates of queries.
   *
   * @param semantic field of the index that is searched
   * @param queries whose candidates are scored; one that does not match gets 0
   * @return agreement of the scores with the logits, query by query
   * @throws IOException if the index cannot be read
   */
  public Agreement agreement(SemanticField semantic, List<ScoredQuery> queries) throws IOException {
    IndexSearcher searcher = new IndexSearcher(reader);
    searcher.setSimilarity(semantic.similarity());
    Agreement agreement = new Agreement();
    for (ScoredQuery query : queries) {
      agreement.add(scores(searcher, semantic.query(query.text), query.docs), query.logits);
    }
    return agreement;
  }

  /** Scores of documents, 0 for those that do not match. */
  private static double[] scores(IndexSearcher searcher, Query query, int[] docs)
      throws IOException {
    ScoreDoc[] hits =
        Arrays.stream(docs).mapToObj(doc -> new ScoreDoc(doc, 0)).toArray(ScoreDoc[]::new);
    TopDocs scored =
        new SecondPassOnly(query)
            .rescore(
                searcher,
                new TopDocs(new TotalHits(docs.length, TotalHits.Relation.EQUAL_TO), hits),
                docs.length);
    Map<Integer, Float> byDoc = new HashMap<>();
    for (ScoreDoc hit : scored.scoreDocs) {
      byDoc.put(hit.doc, hit.score);
    }
    return Arrays.stream(docs).mapToDouble(byDoc::get).toArray();
  }

  private static final class SecondPassOnly extends QueryRescorer {
    SecondPassOnly(Query query) {
      super(query);
    }

    @Override
    protected float combine(float firstPassScore, boolean matches, float secondPassScore) {
      return matches ? secondPassScore : 0;
    }
  }
}
