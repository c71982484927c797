package org.semanticbm25.eval;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;

/** Dependencies point downwards only, between modules, packages and classes. */
@AnalyzeClasses(packages = "org.semanticbm25", importOptions = ArchitectureTest.WithoutTests.class)
class ArchitectureTest {
  /** Leaves out classes of tests, and of the jar that other modules' tests use. */
  static final class WithoutTests implements ImportOption {
    @Override
    public boolean includes(Location location) {
      return !location.contains("/test-classes/") && !location.contains("-tests.jar");
    }
  }

  @ArchTest
  static final ArchRule MODULES =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("similarity")
          .definedBy("org.semanticbm25.similarity..")
          .layer("english")
          .definedBy("org.semanticbm25.english..")
          .layer("onnx-models")
          .definedBy("org.semanticbm25.onnx..")
          .layer("lucene-plugin")
          .definedBy("org.semanticbm25.lucene..")
          .layer("eval")
          .definedBy("org.semanticbm25.eval..")
          .whereLayer("eval")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("english")
          .mayOnlyBeAccessedByLayers("eval")
          .whereLayer("lucene-plugin")
          .mayOnlyBeAccessedByLayers("eval")
          .whereLayer("onnx-models")
          .mayOnlyBeAccessedByLayers("lucene-plugin", "eval");

  @ArchTest
  static final ArchRule SIMILARITY =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("field")
          .definedBy("..similarity.field..")
          .layer("search")
          .definedBy("..similarity.search..")
          .layer("model")
          .definedBy("..similarity.model..")
          .whereLayer("field")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("search")
          .mayOnlyBeAccessedByLayers("field")
          .whereLayer("model")
          .mayOnlyBeAccessedByLayers("field");

  @ArchTest
  static final ArchRule ONNX =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("graph")
          .definedBy("..onnx.graph..")
          .layer("hub")
          .definedBy("..onnx.hub..")
          .layer("runtime")
          .definedBy("..onnx.runtime..")
          .layer("crossencoder")
          .definedBy("..onnx.crossencoder..")
          .layer("attention")
          .definedBy("..onnx.attention..")
          .layer("context")
          .definedBy("..onnx.context..")
          .layer("distill")
          .definedBy("..onnx.distill..")
          .whereLayer("distill")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("context")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("attention")
          .mayOnlyBeAccessedByLayers("distill")
          .whereLayer("crossencoder")
          .mayOnlyBeAccessedByLayers("distill")
          .whereLayer("runtime")
          .mayOnlyBeAccessedByLayers("crossencoder", "attention", "context", "distill")
          .whereLayer("hub")
          .mayOnlyBeAccessedByLayers("runtime", "crossencoder", "attention", "context", "distill");

  @ArchTest
  static final ArchRule NO_CYCLES_BETWEEN_PACKAGES =
      slices().matching("org.semanticbm25.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule NO_CYCLES_BETWEEN_CLASSES =
      slices()
          .assignedFrom(
              new SliceAssignment() {
                @Override
                public SliceIdentifier getIdentifierOf(JavaClass type) {
                  return type.getPackageName().startsWith("org.semanticbm25")
                      ? SliceIdentifier.of(outermost(type).getName())
                      : SliceIdentifier.ignore();
                }

                @Override
                public String getDescription() {
                  return "top-level classes";
                }
              })
          .should()
          .beFreeOfCycles();

  private static JavaClass outermost(JavaClass type) {
    return type.getEnclosingClass().map(ArchitectureTest::outermost).orElse(type);
  }

  @ArchTest
  static final ArchRule SCORING_NEEDS_LUCENE_ONLY =
      noClasses()
          .that()
          .resideInAPackage("org.semanticbm25.similarity..")
          .should()
          .dependOnClassesThat()
          .resideOutsideOfPackages(
              "java..", "org.apache.lucene..", "org.semanticbm25.similarity..");

  @ArchTest
  static final ArchRule NEURAL_RUNTIMES_STAY_IN_THEIR_MODULE =
      noClasses()
          .that()
          .resideOutsideOfPackage("org.semanticbm25.onnx..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("ai.onnxruntime..", "ai.djl..", "ai.onnx..", "com.google.protobuf..");
}
