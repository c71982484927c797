package org.semanticbm25.eval;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Arrows between modules point downwards only. */
@AnalyzeClasses(packages = "org.semanticbm25", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule MODULES =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("similarity").definedBy("org.semanticbm25.similarity..")
          .layer("onnx-models").definedBy("org.semanticbm25.onnx..")
          .layer("lucene-plugin").definedBy("org.semanticbm25.lucene..")
          .layer("eval").definedBy("org.semanticbm25.eval..")
          .whereLayer("eval").mayNotBeAccessedByAnyLayer()
          .whereLayer("lucene-plugin").mayOnlyBeAccessedByLayers("eval")
          .whereLayer("onnx-models").mayOnlyBeAccessedByLayers("lucene-plugin", "eval");

  @ArchTest
  static final ArchRule SCORING_NEEDS_LUCENE_ONLY =
      noClasses()
          .that().resideInAPackage("org.semanticbm25.similarity..")
          .should().dependOnClassesThat()
          .resideOutsideOfPackages("java..", "org.apache.lucene..", "org.semanticbm25.similarity..");

  @ArchTest
  static final ArchRule NEURAL_RUNTIMES_STAY_IN_THEIR_MODULE =
      noClasses()
          .that().resideOutsideOfPackage("org.semanticbm25.onnx..")
          .should().dependOnClassesThat()
          .resideInAnyPackage("ai.onnxruntime..", "ai.djl..", "ai.onnx..", "com.google.protobuf..");
}
