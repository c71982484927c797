package org.semanticbm25.similarity.model;

import java.io.IOException;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import org.apache.lucene.store.DataInput;
import org.apache.lucene.store.DataOutput;

/**
 * Where an extracted model comes from.
 *
 * @param source name of the neural model
 * @param sourceSha256 of its ONNX file, lower-case hexadecimal
 * @param toolVersion version of this software that made the extraction
 * @param created ISO 8601 instant
 * @param figures what was measured during the extraction, by name, such as the correlation with an
 *     IDF table
 * @lucene.experimental
 */
public record Provenance(
    String source,
    String sourceSha256,
    String toolVersion,
    String created,
    Map<String, String> figures) {

  /** Copies the figures, sorted by name. */
  public Provenance {
    figures = Collections.unmodifiableMap(new TreeMap<>(figures));
  }

  /**
   * Writes this as a part of a file.
   *
   * @param out where to write
   * @throws IOException if writing fails
   */
  public void write(DataOutput out) throws IOException {
    out.writeString(source);
    out.writeString(sourceSha256);
    out.writeString(toolVersion);
    out.writeString(created);
    out.writeMapOfStrings(figures);
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @param in where to read
   * @return the provenance
   * @throws IOException if reading fails
   */
  public static Provenance read(DataInput in) throws IOException {
    String source = ChecksummedFile.readString(in);
    String sourceSha256 = ChecksummedFile.readString(in);
    String toolVersion = ChecksummedFile.readString(in);
    String created = ChecksummedFile.readString(in);
    Map<String, String> figures = new TreeMap<>();
    for (int i = ChecksummedFile.readSize(in, 2); i > 0; i--) {
      figures.put(ChecksummedFile.readString(in), ChecksummedFile.readString(in));
    }
    return new Provenance(source, sourceSha256, toolVersion, created, figures);
  }
}
