//! Attacks on the real program: each was carried out once with success, and none succeeds again.

mod connections;
mod passwords;
mod uploads;
