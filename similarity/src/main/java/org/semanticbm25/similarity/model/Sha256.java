package org.semanticbm25.similarity.model;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The digest by which models and files are told apart.
 *
 * @lucene.internal
 */
public final class Sha256 {
  private Sha256() {}

  /**
   * Begins a digest.
   *
   * @return a new one
   */
  public static MessageDigest begin() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java runtime has SHA-256", e);
    }
  }
}
