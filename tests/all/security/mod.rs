//! Attacks on the real program: each was carried out once with success, and none succeeds again.

mod connections;
mod files;
mod passwords;
mod uploads;
