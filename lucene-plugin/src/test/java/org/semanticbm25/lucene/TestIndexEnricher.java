package org.semanticbm25.lucene;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.document.BinaryDocValuesField;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.FeatureField;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.FieldType;
import org.apache.lucene.document.IntPoint;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.document.SortedDocValuesField;
import org.apache.lucene.document.SortedNumericDocValuesField;
import org.apache.lucene.document.SortedSetDocValuesField;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.CheckIndex;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.FieldInfos;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.KnnVectorValues;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.NoMergePolicy;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.SlowCodecReaderWrapper;
import org.apache.lucene.index.SoftDeletesDirectoryReaderWrapper;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.Terms;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.search.Sort;
import org.apache.lucene.search.SortField;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.tests.analysis.MockAnalyzer;
import org.apache.lucene.tests.analysis.MockTokenizer;
import org.apache.lucene.tests.index.FieldFilterLeafReader;
import org.apache.lucene.tests.util.LuceneTestCase;
import org.apache.lucene.tests.util.LuceneTestCase.SuppressFileSystems;
import org.apache.lucene.tests.util.TestUtil;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.Version;
import org.semanticbm25.onnx.Progress;
import org.semanticbm25.similarity.field.ContextualField;
import org.semanticbm25.similarity.field.SoftTermFields;
import org.semanticbm25.similarity.model.ContextualModel;
import org.semanticbm25.similarity.model.ContextualModel.Parameters;
import org.semanticbm25.similarity.model.Provenance;
import org.semanticbm25.similarity.model.SoftFrequencies;
import org.semanticbm25.similarity.model.TermVectors;

/** On random indexes: an enriched index is the old one and the soft field, whatever happened. */
@SuppressFileSystems("ExtrasFS") // puts files of its own into folders
public class TestIndexEnricher extends LuceneTestCase {
  private static final String FIELD = "body";
  private static final String SOFT_DELETES = "gone";
  private static final int TERMS = 30;

  private Path folder;
  private Path source;
  private Path target;
  private Analyzer analyzer;
  private SoftTermFields fields;

  @Override
  public void setUp() throws Exception {
    super.setUp();
    folder = createTempDir();
    source = folder.resolve("source");
    target = folder.resolve("target");
    analyzer = new MockAnalyzer(random(), MockTokenizer.WHITESPACE, true);
    fields = fields(1f, 4);
  }

  private SoftTermFields fields(float weight, int maxSoftTerms) {
    float[] weights = new float[TERMS];
    Arrays.fill(weights, weight);
    float[][] vectors = new float[TERMS][1];
    ContextualModel model =
        new ContextualModel(
            new Provenance("tiny", "ab12", "1.0", "2026-11-01T00:00:00Z", Map.of()),
            new Parameters(4f, 0.4f, 0.5f, 1f, 0f, 0.5f),
            IntStream.range(0, TERMS).mapToObj(i -> "w" + i).toList(),
            weights,
            weights,
            TermVectors.quantize(1, vectors));
    return new SoftTermFields(ContextualField.of(model, FIELD, analyzer), 10f, maxSoftTerms);
  }

  /** Some terms that depend on the text alone. */
  private static SoftFrequencies soft(String text) {
    Random random = new Random(text.hashCode());
    int[] found = IntStream.range(0, TERMS).filter(i -> random.nextInt(4) == 0).toArray();
    float[] frequencies = new float[found.length];
    for (int i = 0; i < found.length; i++) {
      frequencies[i] = 0.1f + 3 * random.nextFloat();
    }
    return new SoftFrequencies(found, frequencies);
  }

  private static List<SoftFrequencies> encode(List<String> texts) {
    return texts.stream().map(TestIndexEnricher::soft).toList();
  }

  private static Document document(Random random, int id) {
    Document document = new Document();
    document.add(new StringField("id", Integer.toString(id), Field.Store.YES));
    StringBuilder text = new StringBuilder();
    for (int words = random.nextInt(20); words > 0; words--) {
      text.append('w').append(random.nextInt(TERMS + 10)).append(' ');
    }
    if (random.nextInt(8) > 0) {
      FieldType type = new FieldType(TextField.TYPE_STORED);
      type.setStoreTermVectors(true);
      type.setStoreTermVectorPositions(true);
      document.add(new Field(FIELD, text.toString(), type));
      document.add(new SortedDocValuesField("text", new BytesRef(text)));
      document.add(new BinaryDocValuesField("binary", new BytesRef(text)));
    }
    document.add(new TextField("other", "x" + random.nextInt(9) + " y", Field.Store.NO));
    document.add(new NumericDocValuesField("number", random.nextInt(50)));
    if (random.nextBoolean()) {
      document.add(new SortedNumericDocValuesField("numbers", random.nextInt(50)));
      document.add(new SortedSetDocValuesField("set", new BytesRef("s" + random.nextInt(5))));
      document.add(new IntPoint("point", random.nextInt(50), random.nextInt(50)));
      document.add(new KnnFloatVectorField("vector", new float[] {random.nextFloat(), 1f}));
      document.add(new StoredField("blob", new byte[] {(byte) id}));
    }
    return document;
  }

  private void index(int documents) throws IOException {
    Random random = random();
    IndexWriterConfig config = new IndexWriterConfig(analyzer).setSoftDeletesField(SOFT_DELETES);
    if (random.nextBoolean()) {
      config.setIndexSort(new Sort(new SortField("number", SortField.Type.LONG)));
    }
    if (random.nextBoolean()) {
      config.setMergePolicy(NoMergePolicy.INSTANCE);
    }
    try (Directory directory = FSDirectory.open(source);
        IndexWriter writer = new IndexWriter(directory, config)) {
      for (int id = 0; id < documents; id++) {
        writer.addDocument(document(random, id));
        if (random.nextInt(200) == 0) {
          writer.flush();
        }
        Term earlier = new Term("id", Integer.toString(random.nextInt(id + 1)));
        if (random.nextInt(10) == 0) {
          writer.deleteDocuments(earlier);
        } else if (random.nextInt(10) == 0) {
          writer.softUpdateDocument(
              earlier, document(random, id), new NumericDocValuesField(SOFT_DELETES, 1));
        }
      }
      writer.setLiveCommitData(Map.of("owner", "someone").entrySet());
      writer.commit();
    }
  }

  private void enrich(SoftFrequencyEncoder encoder) throws IOException {
    new IndexEnricher(
            fields, PassageSource.storedFields(FIELD), encoder, Progress.SILENT, Duration.ZERO)
        .enrich(source, target);
  }

  /** Names, sizes and contents of the files of a folder. */
  private static Map<String, Integer> files(Path folder) throws IOException {
    Map<String, Integer> files = new TreeMap<>();
    try (Stream<Path> all = Files.list(folder)) {
      for (Path file : all.toList()) {
        files.put(file.getFileName().toString(), Arrays.hashCode(Files.readAllBytes(file)));
      }
    }
    return files;
  }

  /** The live documents of the source and nothing else, made by Lucene alone. */
  private Directory liveDocuments() throws IOException {
    Directory live = newDirectory();
    try (Directory directory = FSDirectory.open(source);
        DirectoryReader reader = DirectoryReader.open(directory)) {
      IndexWriterConfig config =
          new IndexWriterConfig()
              .setSoftDeletesField(SOFT_DELETES)
              .setMergePolicy(NoMergePolicy.INSTANCE);
      for (LeafReaderContext leaf : reader.leaves()) {
        if (leaf.reader().getMetaData().sort() != null) {
          config.setIndexSort(leaf.reader().getMetaData().sort());
        }
      }
      try (IndexWriter writer = new IndexWriter(live, config)) {
        for (LeafReaderContext leaf : reader.leaves()) {
          writer.addIndexes(SlowCodecReaderWrapper.wrap(leaf.reader()));
        }
      }
    }
    return live;
  }

  private void checkTarget() throws IOException {
    try (Directory copy = FSDirectory.open(target);
        Directory live = liveDocuments();
        DirectoryReader enriched = DirectoryReader.open(copy);
        DirectoryReader expected = DirectoryReader.open(live)) {
      try (CheckIndex check = new CheckIndex(copy)) {
        assertTrue(check.checkIndex().clean);
      }
      assertEquals("someone", enriched.getIndexCommit().getUserData().get("owner"));
      assertEquals(expected.leaves().size(), enriched.leaves().size());
      for (int i = 0; i < expected.leaves().size(); i++) {
        LeafReader leaf = enriched.leaves().get(i).reader();
        LeafReader old = expected.leaves().get(i).reader();
        LeafReader rest = new FieldFilterLeafReader(leaf, Set.of(fields.field().softField()), true);
        assertEquals(old.getMetaData().sort(), leaf.getMetaData().sort());
        assertReaderEquals("segment " + i, old, rest);
        assertVectorsEqual(old, leaf);
        checkSoftField(leaf);
      }
      assertEquals(
          new SoftDeletesDirectoryReaderWrapper(expected, SOFT_DELETES).numDocs(),
          new SoftDeletesDirectoryReaderWrapper(enriched, SOFT_DELETES).numDocs());
    }
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(2, left.count());
    }
  }

  private static void assertVectorsEqual(LeafReader old, LeafReader leaf) throws IOException {
    FloatVectorValues a = old.getFloatVectorValues("vector");
    FloatVectorValues b = leaf.getFloatVectorValues("vector");
    if (a == null) {
      assertNull(b);
      return;
    }
    assertEquals(a.size(), b.size());
    KnnVectorValues.DocIndexIterator docs = b.iterator();
    for (int i = 0; i < a.size(); i++) {
      docs.nextDoc();
      assertEquals(a.ordToDoc(i), docs.docID());
      assertArrayEquals(a.vectorValue(i), b.vectorValue(docs.index()), 0f);
    }
  }

  /** The soft field of each document is what its stored text gives. */
  private void checkSoftField(LeafReader leaf) throws IOException {
    List<Map<String, Integer>> found = new ArrayList<>();
    for (int doc = 0; doc < leaf.maxDoc(); doc++) {
      found.add(new TreeMap<>());
    }
    Terms terms = leaf.terms(fields.field().softField());
    if (terms != null) {
      TermsEnum each = terms.iterator();
      for (BytesRef term = each.next(); term != null; term = each.next()) {
        PostingsEnum postings = each.postings(null);
        while (postings.nextDoc() != PostingsEnum.NO_MORE_DOCS) {
          found.get(postings.docID()).put(term.utf8ToString(), postings.freq());
        }
      }
    }
    for (int doc = 0; doc < leaf.maxDoc(); doc++) {
      String text = leaf.storedFields().document(doc).get(FIELD);
      Map<String, Integer> expected = new TreeMap<>();
      if (text != null && !text.isBlank()) {
        for (FeatureField feature : fields.of(text, soft(text))) {
          expected.put(
              feature.stringValue(), Float.floatToIntBits(feature.getFeatureValue()) >>> 15);
        }
      }
      assertEquals(expected, found.get(doc));
    }
  }

  public void testACopyIsTheIndexAndTheSoftField() throws IOException {
    index(TestUtil.nextInt(random(), 1, 700));
    Map<String, Integer> before = files(source);
    enrich(TestIndexEnricher::encode);
    checkTarget();
    assertEquals(before, files(source));
  }

  public void testStoppedAtAnyMomentItGoesOn() throws IOException {
    index(900);
    Map<String, Integer> before = files(source);
    int[] encoded = new int[1];
    int stops = 0;
    while (!Files.exists(target)) {
      int limit = 1 + random().nextInt(3);
      int[] calls = new int[1];
      try {
        enrich(
            texts -> {
              if (++calls[0] > limit) {
                throw new OutOfMemoryError("stopped by the test");
              }
              encoded[0] += texts.size();
              return encode(texts);
            });
      } catch (OutOfMemoryError e) {
        stops++;
        assertFalse(Files.exists(target));
      }
    }
    checkTarget();
    assertEquals(before, files(source));
    try (Directory directory = FSDirectory.open(source);
        DirectoryReader reader = DirectoryReader.open(directory)) {
      // what was encoded is not encoded again
      assertTrue(stops > 0 || encoded[0] <= 900);
      assertTrue(encoded[0] + " of " + reader.maxDoc(), encoded[0] <= reader.maxDoc());
    }
  }

  public void testTextFromDocValuesIsTheSame() throws IOException {
    index(50);
    for (String values : List.of("text", "binary")) {
      new IndexEnricher(
              fields, PassageSource.docValues(values), TestIndexEnricher::encode, Progress.SILENT)
          .enrich(source, target);
      checkTarget();
      Files.move(target, folder.getParent().resolve(folder.getFileName() + values));
    }
  }

  public void testTextFromTermVectorsHasTheTerms() throws IOException {
    index(50);
    new IndexEnricher(
            fields,
            PassageSource.termVectors(FIELD),
            texts -> texts.stream().map(text -> soft(text + " ")).toList(),
            Progress.SILENT)
        .enrich(source, target);
    checkTarget();
  }

  public void testOnlyTheSameWorkIsGoneOnWith() throws IOException {
    index(300);
    enrich(TestIndexEnricher::encode);
    // as if it had been stopped before the last step
    Path work = folder.resolve("target.enriching");
    Files.createDirectories(work);
    Files.move(target, work.resolve("index"));
    SoftTermFields same = fields;
    for (SoftTermFields other : List.of(fields(2f, 4), fields(1f, 5))) {
      fields = other;
      IOException e = expectThrows(IOException.class, () -> enrich(TestIndexEnricher::encode));
      assertTrue(e.getMessage(), e.getMessage().contains("delete it"));
    }
    fields = same;
    enrich(
        texts -> {
          throw new AssertionError("encoded again");
        });
    checkTarget();
  }

  public void testAFirstSegmentIsGoneOnWithBySameSettingsOnly() throws IOException {
    try (Directory directory = FSDirectory.open(source);
        IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig(analyzer))) {
      for (int id = 0; id < 600; id++) {
        writer.addDocument(document(random(), id));
      }
      writer.forceMerge(1);
      writer.setLiveCommitData(Map.of("owner", "someone").entrySet());
    }
    int[] calls = new int[1];
    SoftFrequencyEncoder stopping =
        texts -> {
          if (++calls[0] > 1) {
            throw new OutOfMemoryError("stopped by the test");
          }
          return encode(texts);
        };
    SoftTermFields first = fields;
    expectThrows(OutOfMemoryError.class, () -> enrich(stopping));
    fields = fields(2f, 4);
    IOException e = expectThrows(IOException.class, () -> enrich(TestIndexEnricher::encode));
    assertTrue(e.getMessage(), e.getMessage().contains("delete it"));
    fields = first;
    enrich(TestIndexEnricher::encode);
    checkTarget();
  }

  public void testAnIndexOfAnEarlierMajorVersion() throws IOException {
    int earlier = Version.LATEST.major - 1;
    IndexWriterConfig config = new IndexWriterConfig(analyzer).setIndexCreatedVersionMajor(earlier);
    try (Directory directory = FSDirectory.open(source);
        IndexWriter writer = new IndexWriter(directory, config)) {
      for (int id = 0; id < 20; id++) {
        writer.addDocument(document(random(), id));
      }
      writer.setLiveCommitData(Map.of("owner", "someone").entrySet());
    }
    enrich(TestIndexEnricher::encode);
    try (Directory directory = FSDirectory.open(target);
        DirectoryReader reader = DirectoryReader.open(directory)) {
      assertEquals(20, reader.maxDoc());
      for (LeafReaderContext leaf : reader.leaves()) {
        assertEquals(earlier, leaf.reader().getMetaData().createdVersionMajor());
        checkSoftField(leaf.reader());
      }
    }
  }

  public void testDocumentsWithoutTheFieldMayComeFirst() throws IOException {
    IndexWriterConfig config =
        new IndexWriterConfig(analyzer).setMergePolicy(NoMergePolicy.INSTANCE);
    try (Directory directory = FSDirectory.open(source);
        IndexWriter writer = new IndexWriter(directory, config)) {
      for (int id = 0; id < 3000; id++) {
        writer.addDocument(List.of(new StringField("id", "other" + id, Field.Store.YES)));
        if (id == 1500) {
          writer.flush();
        }
      }
      writer.addDocument(List.of(new TextField(FIELD, "w1 w2 w3", Field.Store.YES)));
    }
    enrich(TestIndexEnricher::encode);
    try (Directory directory = FSDirectory.open(target);
        DirectoryReader reader = DirectoryReader.open(directory)) {
      assertTrue(ContextualField.isIn(reader, FIELD));
    }
  }

  public void testWhatCannotBeEnrichedIsRefused() throws IOException {
    index(100);
    Map<String, Integer> before = files(source);
    analyzer = new MockAnalyzer(random(), MockTokenizer.KEYWORD, false);
    SoftTermFields right = fields;
    fields = fields(1f, 4);
    refused("give the analyzer it was indexed with");
    fields = right;
    IllegalArgumentException noText =
        expectThrows(
            IllegalArgumentException.class,
            () ->
                new IndexEnricher(
                        fields,
                        PassageSource.storedFields("other"),
                        TestIndexEnricher::encode,
                        Progress.SILENT)
                    .enrich(source, target));
    assertTrue(noText.getMessage(), noText.getMessage().contains("must be stored"));
    Files.createDirectories(target);
    expectThrows(FileAlreadyExistsException.class, () -> enrich(TestIndexEnricher::encode));
    Files.delete(target);
    enrich(TestIndexEnricher::encode);
    source = target;
    target = folder.resolve("again");
    refused("has a field 'body_soft' already");
    source = folder.resolve("stored");
    try (Directory directory = FSDirectory.open(source);
        IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig(analyzer))) {
      writer.addDocument(
          List.of(
              new TextField(FIELD, "w1", Field.Store.YES), new StoredField("body_soft", "mine")));
    }
    refused("has a field 'body_soft' already");
    source = folder.resolve("source");
    assertEquals(before, files(source));
  }

  private void refused(String message) {
    IllegalArgumentException e =
        expectThrows(IllegalArgumentException.class, () -> enrich(TestIndexEnricher::encode));
    assertTrue(e.getMessage(), e.getMessage().contains(message));
    assertFalse(Files.exists(folder.resolve(target.getFileName() + ".enriching")));
  }

  public void testAnEmptyIndexGivesAnEmptyCopy() throws IOException {
    index(0);
    enrich(TestIndexEnricher::encode);
    checkTarget();
    try (Directory directory = FSDirectory.open(target);
        DirectoryReader reader = DirectoryReader.open(directory)) {
      assertEquals(0, reader.maxDoc());
      assertEquals(0, FieldInfos.getMergedFieldInfos(reader).size());
    }
  }
}
