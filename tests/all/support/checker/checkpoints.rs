//! Who moved the checkpoints, as the audit in the database noted it: invariant 8.

use std::collections::HashMap;

use crate::support::audit::Move;

#[derive(Default)]
struct Place {
    position: i64,
    epoch: i64,
}

/// A checkpoint moves on from where it stands and never back, under one process in each epoch, and epochs only
/// rise.
pub fn one_writer_per_epoch_moves_a_checkpoint(moves: &[Move]) {
    let mut places: HashMap<&str, Place> = HashMap::new();
    let mut writers: HashMap<(&str, i64), &str> = HashMap::new();
    for step in moves {
        let projection = step.projection.as_str();
        let place = places.entry(projection).or_default();
        let said = format!("{step:?}");
        if let (Some(old_position), Some(old_epoch)) = (step.old_position, step.old_epoch) {
            assert_eq!(
                (old_position, old_epoch),
                (place.position, place.epoch),
                "invariant 8: a checkpoint moves from where it stands: {said}"
            );
            assert!(step.position >= old_position, "invariant 8: a checkpoint never falls: {said}");
            assert!(step.epoch >= old_epoch, "invariant 8: an epoch never falls: {said}");
            // A rebuild puts a checkpoint elsewhere under an epoch of its own; whoever leads the projection
            // moves it under the epoch that it found.
            if old_epoch == step.epoch {
                let writer = writers.entry((projection, step.epoch)).or_insert(&step.process);
                assert_eq!(
                    *writer, step.process,
                    "invariant 8: one process moves a checkpoint in an epoch: {said}"
                );
            }
        }
        *place = Place { position: step.position, epoch: step.epoch };
    }
}
