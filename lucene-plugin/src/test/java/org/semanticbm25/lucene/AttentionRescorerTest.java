package org.semanticbm25.lucene;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.store.Directory;
import org.apache.lucene.tests.index.RandomIndexWriter;
import org.apache.lucene.tests.util.LuceneTestCase;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.onnx.attention.AttentionModel;
import org.semanticbm25.onnx.attention.AttentionScorer;
import org.semanticbm25.onnx.crossencoder.CrossEncoder;
import org.semanticbm25.onnx.distill.AttentionExtractor;
import org.semanticbm25.onnx.distill.Extractor;
import org.semanticbm25.onnx.distill.PairSample;
import org.semanticbm25.onnx.distill.PairSampler;
import org.semanticbm25.onnx.distill.PairSampler.PassageList;
import org.semanticbm25.onnx.hub.NeuralModel;
import org.semanticbm25.onnx.testing.TinyBert;
import org.semanticbm25.onnx.testing.TinyModel;

/** Rescoring of random indexes against scoring every document by itself. */
public class AttentionRescorerTest extends LuceneTestCase {
  private static final String QUERY = "cheap laptop";
  private static final Query FIRST_PASS = new TermQuery(new Term("text", "the"));
  private static final int LAYERS = 3;

  private Directory directory;
  private DirectoryReader reader;
  private IndexSearcher searcher;
  private NeuralModel model;
  private AttentionModel extracted;

  @Override
  public void setUp() throws Exception {
    super.setUp();
    Path folder = createTempDir();
    TinyModel.write(folder, TinyModel.Weights.FLOAT);
    new TinyBert(new TinyBert.Shape(TinyModel.VOCABULARY.size(), 256, LAYERS, 16, 2, 32), 3)
        .write(folder);
    model = NeuralModel.at(folder);
    extracted = extract();
    directory = newDirectory();
    try (RandomIndexWriter writer = new RandomIndexWriter(random(), directory)) {
      for (int doc = atLeast(40); doc > 0; doc--) {
        Document document = new Document();
        document.add(new TextField("text", text() + "the", Field.Store.YES));
        writer.addDocument(document);
      }
      reader = writer.getReader();
    }
    searcher = newSearcher(reader);
  }

  @Override
  public void tearDown() throws Exception {
    reader.close();
    directory.close();
    super.tearDown();
  }

  private static String text() {
    StringBuilder text = new StringBuilder();
    for (int words = random().nextInt(30); words >= 0; words--) {
      text.append(TinyModel.VOCABULARY.get(6 + random().nextInt(14))).append(' ');
    }
    return text.toString();
  }

  private AttentionModel extract() throws IOException {
    List<PassageList> texts = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      texts.add(new PassageList(text(), List.of(text(), text(), text())));
    }
    try (CrossEncoder encoder = CrossEncoder.builder(model).open();
        PairSampler sampler =
            new PairSampler(encoder, encoder::score, createTempDir().resolve("samples"))) {
      List<PairSample> samples = sampler.sample("sampling", texts, Progress.SILENT);
      return new AttentionExtractor(
              LAYERS,
              sampler.taps().heads(),
              Extractor.idfByToken(model),
              samples.subList(0, 20),
              samples.subList(20, 30))
          .extract(model);
    }
  }

  public void testEqualsScoringEachDocumentByItself() throws IOException {
    int layers = 1 + random().nextInt(LAYERS);
    float weight = random().nextBoolean() ? 0 : 0.5f;
    try (AttentionScorer scorer = AttentionScorer.open(model, extracted, layers, 2)) {
      PassageSource source = PassageSource.storedFields("text");
      AttentionRescorer rescorer =
          weight == 0
              ? AttentionRescorer.create(scorer, QUERY, source)
              : AttentionRescorer.interpolated(scorer, QUERY, source, weight);
      TopDocs first = searcher.search(FIRST_PASS, 30);
      List<ScoreDoc> expected = new ArrayList<>();
      for (ScoreDoc hit : first.scoreDocs) {
        String text = searcher.storedFields().document(hit.doc).get("text");
        float score = scorer.score(QUERY, List.of(text))[0];
        expected.add(new ScoreDoc(hit.doc, score + weight * hit.score));
      }
      expected.sort(Comparator.comparingDouble(hit -> -hit.score));
      ScoreDoc[] actual = rescorer.rescore(searcher, first, 10).scoreDocs;
      assertEquals(10, actual.length);
      for (int i = 0; i < actual.length; i++) {
        assertEquals(expected.get(i).score, actual[i].score, 1e-4);
      }
    }
  }

  public void testExplanationAddsUp() throws IOException {
    try (AttentionScorer scorer = AttentionScorer.open(model, extracted, LAYERS, 1)) {
      AttentionRescorer rescorer =
          AttentionRescorer.create(scorer, QUERY, PassageSource.storedFields("text"));
      ScoreDoc hit = rescorer.rescore(searcher, searcher.search(FIRST_PASS, 5), 1).scoreDocs[0];
      Explanation explanation =
          rescorer.explain(searcher, searcher.explain(FIRST_PASS, hit.doc), hit.doc);
      assertEquals(hit.score, explanation.getValue().floatValue(), 1e-4);
      Explanation score = explanation.getDetails()[0];
      // the bias and two query tokens
      assertEquals(3, score.getDetails().length);
      assertEquals(hit.score, sum(score), 1e-3);
      for (Explanation token : List.of(score.getDetails()).subList(1, 3)) {
        assertTrue(token.getDescription(), token.getDescription().startsWith("query token '"));
        assertEquals(token.getValue().floatValue(), sum(token), 1e-3);
      }
      assertTrue(explanation.toString(), explanation.toString().contains("attention to '"));
    }
  }

  private static double sum(Explanation explanation) {
    double sum = 0;
    for (Explanation detail : explanation.getDetails()) {
      sum += detail.getValue().doubleValue();
    }
    return sum;
  }

  public void testRefusesAnIllegalWeight() throws IOException {
    try (AttentionScorer scorer = AttentionScorer.open(model, extracted, 1, 1)) {
      PassageSource source = PassageSource.storedFields("text");
      for (float weight : new float[] {-1, Float.NaN}) {
        expectThrows(
            IllegalArgumentException.class,
            () -> AttentionRescorer.interpolated(scorer, QUERY, source, weight));
      }
    }
  }
}
