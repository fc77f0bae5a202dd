//! The set of providers that a process runs with: one for each port, generators by name.
//!
//! Owns the choice of the built-in ones. Refuses to read configuration: what is not built in is handed in.

#[cfg(test)]
mod tests;

use std::{collections::HashMap, fmt, path::Path, sync::Arc};

use crate::{
    analyzer::MeasuringAnalyzer,
    embedder::HashEmbedder,
    moderator::WordListModerator,
    objects::Objects,
    ports::{Embedder, ImageGenerator, Moderator, ObjectStore, ProviderError, VisionAnalyzer},
    studio::Studio,
};

/// Everything the pipeline may call, chosen once at start. Cheap to clone.
#[derive(Clone)]
pub struct Providers {
    pub analyzer: Arc<dyn VisionAnalyzer>,
    pub embedder: Arc<dyn Embedder>,
    pub moderator: Arc<dyn Moderator>,
    pub objects: Arc<dyn ObjectStore>,
    generators: HashMap<String, Arc<dyn ImageGenerator>>,
}

impl Providers {
    /// The offline set: it needs no key and no network. Objects go below `objects_dir`, which is
    /// created with the first object. `Io` when that folder cannot be named from the root of the machine.
    pub fn built_in(objects_dir: &Path) -> Result<Self, ProviderError> {
        let set = Self {
            analyzer: Arc::new(MeasuringAnalyzer),
            embedder: Arc::new(HashEmbedder),
            moderator: Arc::new(WordListModerator),
            objects: Arc::new(Objects::on_disk(objects_dir)?),
            generators: HashMap::new(),
        };
        Ok(set.with_generator(Arc::new(Studio)))
    }

    /// Adds a generator under its own name, replacing one of the same name.
    #[must_use]
    pub fn with_generator(mut self, generator: Arc<dyn ImageGenerator>) -> Self {
        self.generators.insert(generator.name().to_owned(), generator);
        self
    }

    /// The generator an algorithm's chain names.
    pub fn generator(&self, name: &str) -> Option<Arc<dyn ImageGenerator>> {
        self.generators.get(name).cloned()
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut generators: Vec<_> = self.generators.keys().collect();
        generators.sort();
        f.debug_struct("Providers")
            .field("analyzer", &self.analyzer.name())
            .field("embedder", &self.embedder.model())
            .field("generators", &generators)
            .finish_non_exhaustive()
    }
}
