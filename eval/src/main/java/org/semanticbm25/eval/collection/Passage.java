package org.semanticbm25.eval.collection;

/**
 * One retrievable unit of a collection.
 *
 * @param id unique within its collection, never empty
 * @param title may be empty
 * @param text may be empty
 */
public record Passage(String id, String title, String text) {

  /** What is indexed and what a model reads: {@code (title + " " + text).strip()}, as BEIR does. */
  public String contents() {
    return (title + " " + text).strip();
  }
}
