//! Kills and pauses everything there is, again and again, under a random mix of commands, and checks every
//! invariant afterwards.
//!
//! `cargo test` runs a few rounds. `ROUTIX_FAULT_ROUNDS=200 cargo test -p tests --test faults -- --nocapture`
//! runs more; each prints one line with its seed, and `ROUTIX_FAULT_SEED=<seed> ROUTIX_FAULT_ROUNDS=1` repeats
//! the commands and faults of a round. When the answers come is not in the seed's hands; faults are therefore
//! tied to how many commands were answered, and not to a clock.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../all/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the other test binary uses the rest of it")]
mod support;

mod calls;
mod dice;
mod house;
mod listener;
mod load;
mod person;
mod plan;
mod round;

use event_log::clock;

use dice::next_seed;

/// Rounds that run with all other tests.
const ROUNDS: usize = 2;
/// Of a hundred rounds hardly one hits nothing; more than this in a row is a fault of the suite.
const MISSES_MAX: usize = 5;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "each round tells its seed and what it did")]
async fn whatever_is_killed_or_paused_under_load_no_invariant_is_violated() {
    let rounds = number("ROUTIX_FAULT_ROUNDS").map_or(ROUNDS, |rounds| usize::try_from(rounds).unwrap());
    let random = || u64::from_be_bytes(clock::random_id().as_bytes()[..8].try_into().unwrap());
    let mut seed = number("ROUTIX_FAULT_SEED").unwrap_or_else(random);
    let (mut counted, mut missed, mut violations) = (0, 0, Vec::new());
    while counted < rounds {
        let played = tokio::spawn(round::play(seed)).await;
        match played {
            Ok(report) if report.hits() > 0 => {
                counted += 1;
                missed = 0;
                println!("round {counted} seed {seed}: {report}");
            }
            Ok(report) => {
                missed += 1;
                println!("no round seed {seed}: no fault hit work in flight; {report}");
                assert!(missed < MISSES_MAX, "the faults of {missed} rounds hit nothing");
            }
            Err(error) => {
                counted += 1;
                println!("round {counted} seed {seed}: VIOLATION or failure: {error}");
                violations.push(seed);
            }
        }
        seed = next_seed(seed);
    }
    println!("{counted} rounds, {} with a violation", violations.len());
    assert!(violations.is_empty(), "invariants were violated under the seeds {violations:?}");
}
