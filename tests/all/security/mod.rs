//! Attacks, each carried out on the real program.

mod anchors;
mod forgery;
