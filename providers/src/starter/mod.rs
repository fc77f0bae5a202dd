//! The starter library: templates the house draws for itself, so that a fresh install can match
//! styles. They use the studio's parts with fixed palettes, layouts and seeds.

mod shelf;
mod template;

#[cfg(test)]
mod tests;

pub use template::StarterTemplate;

/// All starter templates, in a fixed order: 30 over 15 categories.
pub fn library() -> Vec<template::StarterTemplate> {
    shelf::templates()
}
