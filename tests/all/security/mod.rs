//! Attacks, each carried out on the real program.

mod forgery;
