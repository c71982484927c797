package org.semanticbm25.eval.cli.demo;

import com.sun.source.doctree.DocCommentTree;
import com.sun.source.doctree.DocTree;
import com.sun.source.doctree.EntityTree;
import com.sun.source.doctree.LinkTree;
import com.sun.source.doctree.LiteralTree;
import com.sun.source.doctree.ParamTree;
import com.sun.source.doctree.StartElementTree;
import com.sun.source.doctree.TextTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.DocTreeScanner;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePathScanner;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import javax.lang.model.element.Modifier;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.semanticbm25.eval.collection.Passage;

/**
 * Turns a jar of Java sources into a text collection: the Javadoc of every public or protected
 * class, constructor and method is one passage.
 *
 * <p>The JDK's own parser reads the sources, so what counts as a comment, a tag or a link is what
 * {@code javadoc} takes it for. A passage's id is the binary name of the class, or that name,
 * {@code #}, and the method's name with the simple types of its parameters; its title adds the
 * names split at capitals, so that {@code IndexWriter} is found by "index writer".
 */
public final class JavadocCorpus {
  private JavadocCorpus() {}

  /**
   * Reads all passages, sorted by id.
   *
   * @param sourcesJar a jar of {@code .java} files
   * @throws IOException if the jar cannot be read, or if this Java runtime has no compiler
   */
  public static List<Passage> read(Path sourcesJar) throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    if (compiler == null) {
      throw new IOException(
          "this Java runtime has no compiler to parse " + sourcesJar + "; run on a JDK");
    }
    List<JavaFileObject> sources = sources(sourcesJar);
    JavacTask task = (JavacTask) compiler.getTask(null, null, d -> {}, List.of(), null, sources);
    DocTrees trees = DocTrees.instance(task);
    List<Passage> passages = new ArrayList<>();
    for (CompilationUnitTree unit : task.parse()) {
      new PassageScanner(trees, passages).scan(unit, "");
    }
    passages.sort(Comparator.comparing(Passage::id));
    return passages;
  }

  private static List<JavaFileObject> sources(Path jar) throws IOException {
    List<JavaFileObject> sources = new ArrayList<>();
    try (JarFile file = new JarFile(jar.toFile())) {
      for (JarEntry entry : (Iterable<JarEntry>) file.stream()::iterator) {
        String name = entry.getName();
        if (name.endsWith(".java") && !name.endsWith("-info.java")) {
          byte[] bytes = file.getInputStream(entry).readAllBytes();
          sources.add(new StringSource(name, new String(bytes, StandardCharsets.UTF_8)));
        }
      }
    }
    return sources;
  }

  private static final class StringSource extends SimpleJavaFileObject {
    private final String text;

    StringSource(String name, String text) {
      super(URI.create("string:///" + name), Kind.SOURCE);
      this.text = text;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }

  /** Walks one source file and collects the passages of what a user of the library can see. */
  private static final class PassageScanner extends TreePathScanner<Void, String> {
    private final DocTrees trees;
    private final List<Passage> passages;

    PassageScanner(DocTrees trees, List<Passage> passages) {
      this.trees = trees;
      this.passages = passages;
    }

    @Override
    public Void visitClass(ClassTree tree, String outer) {
      if (!isApi(tree.getModifiers().getFlags())) {
        return null;
      }
      String prefix = packagePrefix();
      String name = (outer.isEmpty() ? prefix : outer + ".") + tree.getSimpleName();
      add(name, name.substring(prefix.length()));
      return super.visitClass(tree, name);
    }

    /** The package and a dot; empty for the unnamed package. */
    private String packagePrefix() {
      Tree name = getCurrentPath().getCompilationUnit().getPackageName();
      return name == null ? "" : name + ".";
    }

    @Override
    public Void visitMethod(MethodTree tree, String owner) {
      if (isApi(tree.getModifiers().getFlags()) || isInInterface()) {
        String simpleOwner = owner.substring(owner.lastIndexOf('.') + 1);
        String name =
            tree.getName().contentEquals("<init>") ? simpleOwner : tree.getName().toString();
        String types =
            tree.getParameters().stream()
                .map(PassageScanner::type)
                .collect(Collectors.joining(","));
        add(owner + "#" + name + "(" + types + ")", simpleOwner + "." + name);
      }
      return null;
    }

    private boolean isInInterface() {
      return getCurrentPath().getParentPath().getLeaf().getKind() == Tree.Kind.INTERFACE;
    }

    private static boolean isApi(Set<Modifier> flags) {
      return flags.contains(Modifier.PUBLIC) || flags.contains(Modifier.PROTECTED);
    }

    private static String type(VariableTree parameter) {
      return parameter.getType().toString().replaceAll("<.*>", "").replaceAll("@\\S+ ", "");
    }

    private void add(String id, String name) {
      DocCommentTree comment = trees.getDocCommentTree(getCurrentPath());
      if (comment == null) {
        return;
      }
      String text = PlainText.of(comment);
      if (!text.isEmpty()) {
        passages.add(new Passage(id, name + " " + splitAtCapitals(name), text));
      }
    }

    private static String splitAtCapitals(String name) {
      return name.replaceAll("(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[._]", " ");
    }
  }

  /** Renders a comment as running text: links by their label, markup dropped. */
  private static final class PlainText extends DocTreeScanner<Void, StringBuilder> {
    static String of(DocCommentTree comment) {
      StringBuilder text = new StringBuilder();
      new PlainText().scan(comment, text);
      return text.toString().replaceAll("\\s+", " ").strip();
    }

    @Override
    public Void visitDocComment(DocCommentTree tree, StringBuilder text) {
      scan(tree.getFirstSentence(), text);
      scan(tree.getBody(), text.append(' '));
      for (DocTree tag : tree.getBlockTags()) {
        scan(tag, text.append(' '));
      }
      return null;
    }

    @Override
    public Void visitParam(ParamTree tree, StringBuilder text) {
      text.append(tree.getName()).append(' ');
      scan(tree.getDescription(), text);
      return null;
    }

    @Override
    public Void visitText(TextTree tree, StringBuilder text) {
      text.append(tree.getBody());
      return null;
    }

    @Override
    public Void visitLiteral(LiteralTree tree, StringBuilder text) {
      text.append(tree.getBody().getBody());
      return null;
    }

    @Override
    public Void visitEntity(EntityTree tree, StringBuilder text) {
      switch (tree.getName().toString()) {
        case "lt" -> text.append('<');
        case "gt" -> text.append('>');
        case "amp" -> text.append('&');
        default -> text.append(' ');
      }
      return null;
    }

    @Override
    public Void visitStartElement(StartElementTree tree, StringBuilder text) {
      text.append(' ');
      return null;
    }

    @Override
    public Void visitLink(LinkTree tree, StringBuilder text) {
      if (tree.getLabel().isEmpty()) {
        String target = tree.getReference().getSignature().replace('#', '.');
        text.append(target.startsWith(".") ? target.substring(1) : target);
      } else {
        scan(tree.getLabel(), text);
      }
      return null;
    }
  }
}
