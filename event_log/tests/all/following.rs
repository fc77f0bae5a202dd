//! Leases and checkpoints: one writer per projection, and an old one can move nothing.

use std::time::Duration;

use event_log::{Epoch, Position, Span, checkpoints, clock, leases};
use futures::future::join_all;

use crate::world::World;

const LONG: Duration = Duration::from_mins(10);
const RELAY: &str = "relay";

async fn expire_lease(world: &World) {
    world.run("UPDATE leases SET held_until = clock_timestamp() - interval '1 second'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_a_lease_at_once_one_holds_it() {
    let world = World::new().await;
    let wanted = (0..20).map(|_| leases::acquire(&world.pool, RELAY, clock::new_id(), LONG));
    let held: Vec<_> = join_all(wanted).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].epoch, 1);
    assert!(leases::acquire(&world.pool, "another", clock::new_id(), LONG).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn renewing_a_lease_keeps_its_epoch() {
    let world = World::new().await;
    let me = clock::new_id();
    let first = leases::acquire(&world.pool, RELAY, me, LONG).await.unwrap().unwrap();
    let until = "SELECT (extract(epoch FROM held_until) * 1000000)::bigint FROM leases";
    let before = world.number(until).await;
    assert_eq!(leases::acquire(&world.pool, RELAY, me, 2 * LONG).await.unwrap(), Some(first));
    assert!(world.number(until).await > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_lease_can_be_taken_by_one_and_its_epoch_rises() {
    let world = World::new().await;
    leases::acquire(&world.pool, RELAY, clock::new_id(), LONG).await.unwrap().unwrap();
    expire_lease(&world).await;
    let wanted = (0..20).map(|_| leases::acquire(&world.pool, RELAY, clock::new_id(), LONG));
    let held: Vec<_> = join_all(wanted).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(held.iter().map(|lease| lease.epoch).collect::<Vec<_>>(), [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_lease_is_free_at_once_and_an_old_holder_releases_nothing() {
    let world = World::new().await;
    let (me, other) = (clock::new_id(), clock::new_id());
    let mine = leases::acquire(&world.pool, RELAY, me, LONG).await.unwrap().unwrap();
    leases::release(&world.pool, &mine).await.unwrap();
    let theirs = leases::acquire(&world.pool, RELAY, other, LONG).await.unwrap().unwrap();
    assert_eq!(theirs.epoch, 2);
    leases::release(&world.pool, &mine).await.unwrap();
    assert_eq!(leases::acquire(&world.pool, RELAY, me, LONG).await.unwrap(), None);
}

fn span(after: i64, upto: i64) -> Span {
    Span { after: Position::new(after), upto: Position::new(upto) }
}

async fn advance(world: &World, step: (i64, i64), epoch: i64) -> bool {
    let mut transaction = world.pool.begin().await.unwrap();
    let moved =
        checkpoints::advance_in_tx(&mut transaction, "balances", span(step.0, step.1), Epoch::new(epoch))
            .await
            .unwrap();
    transaction.commit().await.unwrap();
    moved
}

async fn position(world: &World) -> i64 {
    checkpoints::position(&world.pool, "balances").await.unwrap().get()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_moves_for_its_epoch_only() {
    let world = World::new().await;
    assert_eq!(position(&world).await, 0);
    assert_eq!(
        checkpoints::take_over(&world.pool, "balances", Epoch::new(1)).await.unwrap(),
        Some(Position::new(0))
    );
    assert!(advance(&world, (0, 5), 1).await);
    assert_eq!(
        checkpoints::take_over(&world.pool, "balances", Epoch::new(2)).await.unwrap(),
        Some(Position::new(5))
    );
    assert!(!advance(&world, (5, 6), 1).await, "an old holder moved the checkpoint");
    assert!(!advance(&world, (5, 6), 3).await, "a holder that never took over moved the checkpoint");
    assert!(advance(&world, (5, 6), 2).await);
    assert_eq!(position(&world).await, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_holder_cannot_take_a_checkpoint_back() {
    let world = World::new().await;
    checkpoints::take_over(&world.pool, "balances", Epoch::new(2)).await.unwrap().unwrap();
    assert_eq!(checkpoints::take_over(&world.pool, "balances", Epoch::new(1)).await.unwrap(), None);
    assert_eq!(
        checkpoints::take_over(&world.pool, "balances", Epoch::new(2)).await.unwrap(),
        Some(Position::new(0))
    );
    assert!(!advance(&world, (0, 1), 1).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_moves_only_from_where_it_is_so_no_event_is_applied_twice() {
    let world = World::new().await;
    checkpoints::take_over(&world.pool, "balances", Epoch::new(1)).await.unwrap();
    let moves = join_all((0..10).map(|_| advance(&world, (0, 5), 1))).await;
    assert_eq!(moves.into_iter().filter(|moved| *moved).count(), 1);
    assert!(!advance(&world, (4, 9), 1).await);
    assert!(!advance(&world, (6, 9), 1).await);
    assert_eq!(position(&world).await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_is_moved_with_the_rows_or_not_at_all() {
    let world = World::new().await;
    checkpoints::take_over(&world.pool, "balances", Epoch::new(1)).await.unwrap();
    let mut transaction = world.pool.begin().await.unwrap();
    assert!(
        checkpoints::advance_in_tx(&mut transaction, "balances", span(0, 5), Epoch::new(1)).await.unwrap()
    );
    transaction.rollback().await.unwrap();
    assert_eq!(position(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lowest_checkpoint_is_that_of_the_slowest_projection() {
    let world = World::new().await;
    assert_eq!(checkpoints::lowest(&world.pool).await.unwrap(), 0);
    for (name, position) in [("balances", 7), ("messages", 3)] {
        checkpoints::take_over(&world.pool, name, Epoch::new(1)).await.unwrap();
        let mut connection = world.pool.acquire().await.unwrap();
        assert!(
            checkpoints::advance_in_tx(&mut connection, name, span(0, position), Epoch::new(1))
                .await
                .unwrap()
        );
    }
    assert_eq!(checkpoints::lowest(&world.pool).await.unwrap(), 3);
    let all = checkpoints::all(&world.pool).await.unwrap();
    assert_eq!(all, [("balances".to_owned(), Position::new(7)), ("messages".to_owned(), Position::new(3))]);
}
