package org.semanticbm25.eval.serve;

/**
 * What the commands that a page shows need to do what the page does, quoted for a shell.
 *
 * @param edit options of {@code edit}: model file, field and analyzer
 * @param search options of {@code search}, and the index: field, analyzer and cross-encoder
 */
public record CopiedCommands(String edit, String search) {}
