package org.semanticbm25.similarity.model;

import java.io.IOException;
import org.apache.lucene.store.DataInput;
import org.apache.lucene.store.DataOutput;

/**
 * A change of how much a word counts, kept in the model file as a record of its own.
 *
 * @param word as it is written in texts; a field's analyzer maps it to a term
 * @param weight factor on the score of the word as a query term, and on its weight as a soft term:
 *     1 changes nothing, 0 blocks the word; in [0, {@value Profile#MAX_FACTOR}]
 * @param reason who or what made it, such as "edit"
 * @param created ISO 8601 instant
 * @lucene.experimental
 */
public record WordEdit(String word, float weight, String reason, String created) {

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if the weight is out of its range or the word is blank
   */
  public WordEdit {
    if (!(weight >= 0f && weight <= Profile.MAX_FACTOR)) {
      throw new IllegalArgumentException(
          "illegal weight: %s of '%s', must be in [0, %s]"
              .formatted(weight, word, Profile.MAX_FACTOR));
    }
    if (word.isBlank()) {
      throw new IllegalArgumentException("illegal word: it is blank");
    }
  }

  void write(DataOutput out) throws IOException {
    out.writeString(word);
    out.writeInt(Float.floatToIntBits(weight));
    out.writeString(reason);
    out.writeString(created);
  }

  static WordEdit read(DataInput in) throws IOException {
    return new WordEdit(
        ChecksummedFile.readString(in),
        Float.intBitsToFloat(in.readInt()),
        ChecksummedFile.readString(in),
        ChecksummedFile.readString(in));
  }
}
