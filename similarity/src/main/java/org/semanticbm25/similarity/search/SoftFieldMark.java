package org.semanticbm25.similarity.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.lucene.document.FeatureField;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.Terms;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.BytesRef;

/**
 * Tells what a soft field was written with. Every document that has the field has a feature of this
 * name, so that any engine that stores features keeps it. No analyzer makes such a term.
 *
 * @param model id of the contextual model
 * @param meanLength avgdl, of passages on average, positive and finite
 * @lucene.experimental
 */
public record SoftFieldMark(String model, float meanLength) {
  private static final String PREFIX = "semanticbm25 ";
  private static final Pattern MARK =
      Pattern.compile(PREFIX + "([0-9a-f]+) ([0-9]+\\.[0-9]+(?:E-?[0-9]+)?)");

  /**
   * Name of the feature.
   *
   * @return different for different marks
   */
  public String feature() {
    return PREFIX + model + " " + meanLength;
  }

  /**
   * A feature to be indexed.
   *
   * @param softField name of the field
   * @return the mark's
   */
  public FeatureField field(String softField) {
    return new FeatureField(softField, feature(), 1f);
  }

  /**
   * Whether a document that is not deleted has the mark.
   *
   * @param reader of the segment
   * @param softField name of the field
   * @return true if one has
   * @throws IOException if the index cannot be read
   */
  public boolean isLiveIn(LeafReader reader, String softField) throws IOException {
    PostingsEnum documents = reader.postings(new Term(softField, feature()), PostingsEnum.NONE);
    Bits live = reader.getLiveDocs();
    while (documents != null && documents.nextDoc() != PostingsEnum.NO_MORE_DOCS) {
      if (live == null || live.get(documents.docID())) {
        return true;
      }
    }
    return false;
  }

  /**
   * The marks of a segment's documents, those of deleted ones among them.
   *
   * @param reader of the segment
   * @param softField name of the field
   * @return one, unless documents were written with different models or mean lengths; none if the
   *     segment has no such field or another software wrote it
   * @throws IOException if the index cannot be read
   */
  public static List<SoftFieldMark> in(LeafReader reader, String softField) throws IOException {
    List<SoftFieldMark> marks = new ArrayList<>();
    Terms terms = reader.terms(softField);
    if (terms != null) {
      TermsEnum all = terms.iterator();
      if (all.seekCeil(new BytesRef(PREFIX)) != TermsEnum.SeekStatus.END) {
        BytesRef term = all.term();
        while (term != null && term.utf8ToString().startsWith(PREFIX)) {
          Matcher mark = MARK.matcher(term.utf8ToString());
          // one that is no mark was written by another software
          if (mark.matches()) {
            marks.add(new SoftFieldMark(mark.group(1), Float.parseFloat(mark.group(2))));
          }
          term = all.next();
        }
      }
    }
    return marks;
  }
}
