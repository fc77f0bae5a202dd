//! The names that stored events depend on.

use super::Algorithms;
use crate::Projection;

#[test]
fn the_projection_listens_to_the_name_that_the_log_stores() {
    assert_eq!(Algorithms.spec().reads, ["algorithm"]);
}
