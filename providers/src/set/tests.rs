//! The set has everything that is built in.

use super::*;

#[test]
fn the_built_in_set_draws_and_takes_other_generators() {
    let providers = Providers::built_in(Path::new("nowhere")).unwrap();
    assert_eq!(providers.generator("studio").unwrap().name(), "studio");
    assert!(providers.generator("dall-e-3").is_none());
    assert_eq!(providers.embedder.model(), "routix-hash-1536-v1");
}
