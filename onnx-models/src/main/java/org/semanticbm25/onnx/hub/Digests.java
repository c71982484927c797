package org.semanticbm25.onnx.hub;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.semanticbm25.similarity.model.Sha256;

/** Fingerprints of files and texts. */
public final class Digests {
  private Digests() {}

  /**
   * SHA-256 of a file, lower-case hexadecimal.
   *
   * @param file of any size; it is read in parts
   * @return 64 digits
   * @throws IOException if the file cannot be read
   */
  public static String sha256(Path file) throws IOException {
    try (DigestInputStream in = new DigestInputStream(Files.newInputStream(file), Sha256.begin())) {
      in.transferTo(OutputStream.nullOutputStream());
      return HexFormat.of().formatHex(in.getMessageDigest().digest());
    }
  }

  /**
   * SHA-256 of a text in UTF-8, lower-case hexadecimal.
   *
   * @param text any text
   * @return 64 digits
   */
  public static String sha256(String text) {
    return HexFormat.of().formatHex(Sha256.begin().digest(text.getBytes(StandardCharsets.UTF_8)));
  }

  /**
   * What git calls a file of this content: SHA-1 of a header with its length, and of the content.
   *
   * @param file a small one
   * @return 40 hexadecimal digits
   * @throws IOException if the file cannot be read
   */
  static String gitBlob(Path file) throws IOException {
    byte[] content = Files.readAllBytes(file);
    try {
      MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
      sha1.update(("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII));
      return HexFormat.of().formatHex(sha1.digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-1", e);
    }
  }
}
