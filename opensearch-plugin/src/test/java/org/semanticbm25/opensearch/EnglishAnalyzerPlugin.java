package org.semanticbm25.opensearch;

import java.util.List;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.opensearch.index.analysis.PreBuiltAnalyzerProviderFactory;
import org.opensearch.indices.analysis.PreBuiltCacheFactory.CachingStrategy;
import org.opensearch.plugins.AnalysisPlugin;
import org.opensearch.plugins.Plugin;

/** The analyzer {@code english}, which in a real node comes from a module of the distribution. */
public final class EnglishAnalyzerPlugin extends Plugin implements AnalysisPlugin {
  @Override
  public List<PreBuiltAnalyzerProviderFactory> getPreBuiltAnalyzerProviderFactories() {
    return List.of(
        new PreBuiltAnalyzerProviderFactory(
            "english", CachingStrategy.LUCENE, EnglishAnalyzer::new));
  }
}
