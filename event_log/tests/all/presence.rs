//! Presence: by the clock of the database, and until it is taken back.

use std::time::Duration;

use event_log::{clock, presence};

use crate::world::World;

const LONG: Duration = Duration::from_mins(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_run_by_the_processes_that_say_so_and_have_neither_ended_nor_died() {
    let world = World::new().await;
    let (one, other, dead) = (clock::new_id(), clock::new_id(), clock::new_id());
    presence::announce(&world.pool, one, &["relay", "timers"], LONG).await.unwrap();
    presence::announce(&world.pool, one, &["relay", "timers"], LONG).await.unwrap();
    presence::announce(&world.pool, other, &["relay"], LONG).await.unwrap();
    presence::announce(&world.pool, dead, &["cleanup"], Duration::ZERO).await.unwrap();
    let running = presence::running(&world.pool).await.unwrap();
    assert_eq!(running, [("relay".to_owned(), 2), ("timers".to_owned(), 1)].into());

    presence::withdraw(&world.pool, one).await.unwrap();
    assert_eq!(presence::running(&world.pool).await.unwrap(), [("relay".to_owned(), 1)].into());
    world.run("UPDATE running_parts SET seen_until = seen_until - interval '2 hours'").await;
    presence::announce(&world.pool, one, &["analysis"], LONG).await.unwrap();
    assert_eq!(world.number("SELECT count(*) FROM running_parts").await, 1, "those of the dead are removed");
}
