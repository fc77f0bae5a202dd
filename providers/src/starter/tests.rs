//! The starter library as a whole.

use std::collections::HashSet;

use super::*;
use crate::lexicon::CATEGORIES;

#[test]
fn the_library_is_wide_and_its_slugs_are_unique() {
    let library = library();
    let slugs: HashSet<_> = library.iter().map(|template| template.slug).collect();
    let categories: HashSet<_> = library.iter().map(|template| template.category).collect();
    assert!(library.len() >= 24 && categories.len() >= 8);
    assert_eq!(slugs.len(), library.len());
    for template in &library {
        assert!(CATEGORIES.iter().any(|known| known.name == template.category), "{}", template.slug);
        assert!(!template.tags.is_empty() && !template.description.is_empty());
    }
}

#[test]
fn a_template_draws_the_same_full_size_picture_every_time() {
    let library = library();
    let first = library[0].draw().unwrap();
    assert_eq!(first, library[0].draw().unwrap());
    let picture = image::load_from_memory(&first).unwrap();
    assert_eq!((picture.width(), picture.height()), (1280, 720));
    assert_ne!(first, library[1].draw().unwrap());
}
