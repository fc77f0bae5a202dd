//! Work: found from state, done in order, and fenced against a worker that was paused.

use std::time::Duration;

use chrono::{DateTime, Utc};
use event_log::work::{self, ClaimedWork, Failure, Known, NewWork};
use event_log::{Position, clock};
use futures::future::join_all;
use tokio::time::Instant;
use uuid::Uuid;

use crate::world::World;

const ROLE: &str = "generation";
const KNOWN: Known<'_> = Known { role: ROLE, tasks: &["step"] };
const LONG: Duration = Duration::from_mins(10);

async fn add(world: &World, subject: &str, position: i64) -> Uuid {
    add_due(world, subject, position, None).await
}

async fn add_due(world: &World, subject: &str, position: i64, due_at: Option<DateTime<Utc>>) -> Uuid {
    let cause = clock::new_id();
    add_caused(world, subject, (position, cause), due_at).await;
    cause
}

async fn add_caused(
    world: &World,
    subject: &str,
    (position, cause): (i64, Uuid),
    due_at: Option<DateTime<Utc>>,
) {
    let mut connection = world.pool.acquire().await.unwrap();
    let work = NewWork {
        role: ROLE,
        task: "step",
        subject,
        position: Position::new(position),
        cause,
        correlation_id: cause,
        owner: None,
        traceparent: None,
        language: Some("de".to_owned()),
        caused_at: clock::now(),
        due_at,
    };
    work::add_in_tx(&mut connection, &[work]).await.unwrap();
}

async fn claim(world: &World, limit: i64) -> Vec<ClaimedWork> {
    work::claim(&world.pool, KNOWN, LONG, limit).await.unwrap()
}

async fn claim_one(world: &World) -> ClaimedWork {
    let mut claimed = claim(world, 10).await;
    assert_eq!(claimed.len(), 1);
    claimed.remove(0)
}

fn failure(error: &str) -> Failure<'_> {
    Failure { error, is_excused: false }
}

/// What happens to the claim of a worker that was paused for too long.
async fn end_claims(world: &World) {
    world.run("UPDATE work SET held_until = clock_timestamp() - interval '1 second'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_of_one_subject_is_done_in_the_order_of_its_causes() {
    let world = World::new().await;
    for position in [3, 1, 2] {
        add(&world, "order", position).await;
    }
    for position in 1..=3 {
        let work = claim_one(&world).await;
        assert_eq!((work.position.get(), work.attempts, work.fence), (position, 1, 1));
        assert!(claim(&world, 10).await.is_empty(), "a later row overtook one that is being done");
        assert!(work::finish(&world.pool, &work).await.unwrap());
    }
    assert!(claim(&world, 10).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn subjects_do_not_wait_for_each_other_and_a_claim_has_a_limit() {
    let world = World::new().await;
    for subject in ["a", "b", "c", "d", "e"] {
        add(&world, subject, 1).await;
    }
    assert_eq!(claim(&world, 2).await.len(), 2);
    assert_eq!(claim(&world, 10).await.len(), 3);
    assert!(
        work::claim(&world.pool, Known { role: "analysis", ..KNOWN }, LONG, 10).await.unwrap().is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_claim_at_once_never_get_the_same_row() {
    let world = World::new().await;
    for number in 0..30 {
        add(&world, &format!("subject {number}"), 1).await;
    }
    let mut claimed: Vec<Uuid> =
        join_all((0..10).map(|_| claim(&world, 3))).await.into_iter().flatten().map(|w| w.work_id).collect();
    // A row that another worker looked at in that moment is skipped, not lost.
    claimed.extend(claim(&world, 30).await.into_iter().map(|work| work.work_id));
    assert_eq!(claimed.len(), 30);
    claimed.sort_unstable();
    claimed.dedup();
    assert_eq!(claimed.len(), 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_ended_is_taken_over_with_a_higher_fence_and_the_old_one_can_do_nothing() {
    let world = World::new().await;
    add(&world, "order", 1).await;
    let paused = claim_one(&world).await;
    end_claims(&world).await;
    let taken_over = claim_one(&world).await;
    assert_eq!((taken_over.work_id, taken_over.fence, taken_over.attempts), (paused.work_id, 2, 2));
    assert!(!work::renew(&world.pool, &paused, LONG).await.unwrap());
    assert!(!work::finish(&world.pool, &paused).await.unwrap());
    work::retry_later(&world.pool, &paused, Duration::ZERO, failure("late")).await.unwrap();
    assert!(claim(&world, 10).await.is_empty(), "an old fence gave the row away");
    assert!(work::renew(&world.pool, &taken_over, LONG).await.unwrap());
    assert!(work::finish(&world.pool, &taken_over).await.unwrap());
    assert!(!work::finish(&world.pool, &taken_over).await.unwrap(), "done twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_claim_is_not_taken_over() {
    let world = World::new().await;
    add(&world, "order", 1).await;
    let work = claim_one(&world).await;
    end_claims(&world).await;
    assert!(work::renew(&world.pool, &work, LONG).await.unwrap());
    assert!(claim(&world, 10).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_is_not_claimed_before_it_is_due() {
    let world = World::new().await;
    add_due(&world, "deadline", 1, Some(clock::now() + chrono::Duration::hours(1))).await;
    assert!(claim(&world, 10).await.is_empty());
    let wait = work::next_due(&world.pool, KNOWN).await.unwrap().unwrap();
    assert!(wait > Duration::from_mins(59) && wait <= Duration::from_hours(1), "{wait:?}");
    world.run("UPDATE work SET due_at = clock_timestamp() - interval '1 second'").await;
    assert_eq!(work::next_due(&world.pool, KNOWN).await.unwrap(), Some(Duration::ZERO));
    assert_eq!(claim(&world, 10).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_cause_told_twice_is_one_row() {
    let world = World::new().await;
    let cause = clock::new_id();
    for _ in 0..2 {
        add_caused(&world, "order", (1, cause), None).await;
    }
    let work = claim_one(&world).await;
    assert!(work::finish(&world.pool, &work).await.unwrap());
    // A rebuild tells it again: it stays done.
    add_caused(&world, "order", (1, cause), None).await;
    assert!(claim(&world, 10).await.is_empty());
    assert_eq!(world.number("SELECT count(*) FROM work").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_comes_back_after_its_delay_and_keeps_its_place() {
    let world = World::new().await;
    add(&world, "order", 1).await;
    add(&world, "order", 2).await;
    let work = claim_one(&world).await;
    work::retry_later(&world.pool, &work, LONG, failure("the provider is away")).await.unwrap();
    assert!(claim(&world, 10).await.is_empty(), "the next row overtook one that waits");
    world.run("UPDATE work SET due_at = clock_timestamp() - interval '1 second' WHERE position = 1").await;
    let again = claim_one(&world).await;
    assert_eq!((again.position.get(), again.attempts, again.fence), (1, 2, 2));
    assert_eq!(world.number("SELECT count(*) FROM work WHERE last_error = 'the provider is away'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_do_has_no_due_time() {
    let world = World::new().await;
    assert_eq!(work::next_due(&world.pool, KNOWN).await.unwrap(), None);
    add(&world, "order", 1).await;
    let work = claim_one(&world).await;
    let wait = work::next_due(&world.pool, KNOWN).await.unwrap().unwrap();
    assert!(wait > Duration::from_mins(9), "a held row is due when its claim ends: {wait:?}");
    assert!(work::finish(&world.pool, &work).await.unwrap());
    assert_eq!(work::next_due(&world.pool, KNOWN).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_a_task_that_the_worker_does_not_know_stays_open_and_does_not_keep_it_awake() {
    let world = World::new().await;
    add(&world, "of a newer program", 1).await;
    world.run("UPDATE work SET task = 'leap'").await;
    add(&world, "of a newer program", 2).await;
    add(&world, "order", 3).await;
    let work = claim_one(&world).await;
    assert_eq!((work.subject.as_str(), work.position.get()), ("order", 3));
    assert_eq!(work.language.as_deref(), Some("de"));
    assert!(work::finish(&world.pool, &work).await.unwrap());
    assert!(claim(&world, 10).await.is_empty(), "the next row of its subject overtook the unknown one");
    assert_eq!(work::next_due(&world.pool, KNOWN).await.unwrap(), None);
    let undisturbed = "SELECT count(*) FROM work \
         WHERE task = 'leap' AND done_at IS NULL AND held_until IS NULL AND attempts = 0 AND fence = 0";
    assert_eq!(world.number(undisturbed).await, 1);
    let newer = Known { tasks: &["step", "leap"], ..KNOWN };
    let claimed = work::claim(&world.pool, newer, LONG, 10).await.unwrap();
    assert_eq!(claimed.iter().map(|work| work.task.as_str()).collect::<Vec<_>>(), ["leap"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_is_excused_gives_its_try_back_and_keeps_the_fence() {
    let world = World::new().await;
    add(&world, "order", 1).await;
    let work = claim_one(&world).await;
    let away = Failure { is_excused: true, ..failure("the database is away") };
    work::retry_later(&world.pool, &work, Duration::ZERO, away).await.unwrap();
    let again = claim_one(&world).await;
    assert_eq!((again.attempts, again.fence), (1, 2));
    work::retry_later(&world.pool, &again, Duration::ZERO, failure("its own")).await.unwrap();
    assert_eq!(claim_one(&world).await.attempts, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_row_is_out_of_the_way_of_the_next_one_until_it_is_opened_again() {
    let world = World::new().await;
    add(&world, "order", 1).await;
    add(&world, "order", 2).await;
    let first = claim_one(&world).await;
    assert!(work::park(&world.pool, &first, "it cannot be done").await.unwrap());
    let second = claim_one(&world).await;
    assert_eq!(second.position.get(), 2, "the next row goes on behind a parked one");
    assert!(work::finish(&world.pool, &second).await.unwrap());
    assert_eq!(work::next_due(&world.pool, KNOWN).await.unwrap(), None, "a parked row keeps nobody awake");
    let queues = work::queues(&world.pool).await.unwrap();
    assert_eq!((queues[0].due, queues[0].later, queues[0].parked), (0, 0, 1));

    assert!(work::retry_parked(&world.pool, first.work_id).await.unwrap());
    assert!(!work::retry_parked(&world.pool, first.work_id).await.unwrap(), "it is open already");
    let again = claim_one(&world).await;
    assert_eq!((again.work_id, again.attempts, again.fence), (first.work_id, 1, 2));
    assert!(!work::park(&world.pool, &first, "late").await.unwrap(), "an old fence parked the row");
    assert!(work::finish(&world.pool, &again).await.unwrap());
    assert!(work::queues(&world.pool).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn parked_rows_are_listed_page_by_page_in_the_order_of_their_causes() {
    let world = World::new().await;
    // Two rows of one event stand side by side.
    for (subject, position) in [("a", 2), ("b", 1), ("c", 2), ("d", 3)] {
        add(&world, subject, position).await;
    }
    for row in claim(&world, 10).await {
        assert!(work::park(&world.pool, &row, &format!("the fault of {}", row.subject)).await.unwrap());
    }
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = work::list_parked(&world.pool, after, 1).await.unwrap();
        assert_eq!(page.total, 4);
        let Some(row) = page.rows.into_iter().next() else { break };
        assert_eq!((row.reason, row.attempts), (format!("the fault of {}", row.subject), 1));
        after = Some(row.work_id);
        listed.push((row.position.get(), row.subject));
    }
    listed[1..3].sort();
    assert_eq!(listed, [(1, "b"), (2, "a"), (2, "c"), (3, "d")].map(|(at, name)| (at, name.to_owned())));
}

/// It took half a minute when each row was held against each other one, and claimed more than its limit when the rows were
/// looked for once per row.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_among_many_open_rows_of_few_subjects_takes_no_time_though_the_table_was_empty_before() {
    let world = World::new().await;
    let log = world.process().await;
    let claim = async |limit| work::claim(log.pool(), KNOWN, LONG, limit).await.unwrap();
    world.run("ALTER TABLE work SET (autovacuum_enabled = false)").await;
    world.run("VACUUM (ANALYZE) work").await;
    // More often than a statement is planned anew before its plan is kept, over each connection.
    for _ in 0..100 {
        assert!(claim(1).await.is_empty());
    }
    let many = "INSERT INTO work (work_id, role, task, subject, position, cause, correlation_id, caused_at, due_at) \
         SELECT gen_random_uuid(), 'generation', 'step', (n % 32)::text, n, gen_random_uuid(), gen_random_uuid(), \
                now(), now() FROM generate_series(1, 10000) AS n";
    world.run(many).await;
    let started = Instant::now();
    assert_eq!(claim(5).await.len(), 5, "a limit is a limit, whatever the plan");
    assert_eq!(claim(100).await.len(), 27);
    assert!(work::next_due(log.pool(), KNOWN).await.unwrap().is_some());
    assert!(started.elapsed() < Duration::from_secs(3), "it took {:?}", started.elapsed());
}
