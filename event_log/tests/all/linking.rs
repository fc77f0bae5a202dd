//! The chain that a process of the version before brings along: taken only where it fits, made anew everywhere else.

use event_log::{EventLog, clock, verify};
use uuid::Uuid;

use crate::jar::{Failure, Jar, JarCommand};
use crate::world::{World, new_command};

const LINK: &str = "sha256('a link of the caller')";

/// Appends one event through the function itself, with these values for `tip_position`, `tip_chain`, `linked_at` and
/// `linked_chain`. Tells whether the link was taken.
async fn is_taken(world: &World, tip: [&str; 4]) -> bool {
    let (command, jar, event) = (clock::new_id(), clock::new_id(), clock::new_id());
    let call = format!(
        "SELECT a.last_chain = {LINK} FROM append_units(\
         ARRAY['{nil}']::uuid[], ARRAY['{command}']::uuid[], ARRAY['']::bytea[], ARRAY['null'], \
         ARRAY[NULL]::timestamptz[], ARRAY['{{}}'], ARRAY[NULL]::uuid[], ARRAY[1], ARRAY[1], \
         ARRAY[1], ARRAY['jar'], ARRAY['{jar}']::uuid[], ARRAY[0]::bigint[], \
         ARRAY[1], ARRAY[1], ARRAY[1]::bigint[], ARRAY['{event}']::uuid[], ARRAY['Put'], ARRAY['1.0'], ARRAY['{{}}'], \
         ARRAY['']::bytea[], '{{}}'::int[], '{{}}'::text[], '{{}}'::bytea[], '{{}}'::uuid[], '{{}}'::boolean[], \
         '{{}}'::int[], '{{}}'::bigint[], '{{}}'::text[], '{{}}'::text[], false, {tip}) AS a",
        nil = Uuid::nil(),
        tip = tip.join(", "),
    );
    sqlx::query_scalar(&call).fetch_one(&world.pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_taken_only_behind_the_last_event_and_for_a_time_that_is_now() {
    const POSITION: &str = "(SELECT max(position) FROM events)";
    const CHAIN: &str = "(SELECT chain FROM events ORDER BY position DESC LIMIT 1)";
    const NOW: &str = "clock_timestamp()";
    const BEFORE: &str = "(SELECT max(recorded_at) - interval '1 microsecond' FROM events)";
    let links = format!("ARRAY[{LINK}]");
    let two = format!("ARRAY[{LINK}, {LINK}]");
    let world = World::new().await;
    assert!(!is_taken(&world, ["0", "sha256('')", NOW, &links]).await, "behind no event at all");
    assert!(is_taken(&world, [POSITION, CHAIN, NOW, &links]).await);
    for (tip, why) in [
        (["NULL", "NULL", "NULL", "NULL"], "there is none"),
        (["(SELECT max(position) - 1 FROM events)", CHAIN, NOW, &links], "another position"),
        ([POSITION, "sha256('another log')", NOW, &links], "another chain"),
        ([POSITION, CHAIN, BEFORE, &links], "before the last event"),
        ([POSITION, CHAIN, "clock_timestamp() + interval '2 seconds'", &links], "a clock ahead"),
        ([POSITION, CHAIN, NOW, &two], "a link too many"),
    ] {
        assert!(!is_taken(&world, tip).await, "{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_write_in_turn_leave_one_chain() {
    let world = World::new().await;
    let (here, there) = (world.process().await, world.process().await);
    let jar = clock::new_id();
    let mut last = 0;
    // In pairs, which go by `append_units`; alone, which do not and leave the process without the end of the log.
    for (log, coins) in [
        (&here, 2),
        (&here, 2),
        (&there, 2),
        (&here, 2),
        (&here, 1),
        (&here, 2),
        (&here, 3),
        (&there, 1),
        (&here, 2),
    ] {
        last += coins;
        assert_eq!(put(log, jar, coins).await, last);
    }
    assert_eq!(verify(&world.pool, None).await.unwrap().fault, None);
    world.assert_sound().await;
}

async fn put(log: &EventLog, jar: Uuid, coins: i64) -> i64 {
    let puts = (0..coins).map(|_| JarCommand::Put(1));
    log.unit::<Failure>(new_command()).execute::<Jar>(jar, puts).commit().await.unwrap().position
}
