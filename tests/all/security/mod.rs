//! Attacks on the real program: each was carried out once with success, and none succeeds again.

mod anchors;
mod connections;
mod files;
mod forgery;
mod passwords;
mod uploads;
