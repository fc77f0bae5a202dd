//! The chain finds whatever was done to the log behind its back.

use event_log::{Anchor, Expected, NotAnAnchor, Position, clock, verify, verify_in_pages};

use crate::jar::JarCommand;
use crate::world::{World, tell};

/// A log of six events whose guards were taken away.
async fn unguarded() -> World {
    let world = World::new().await;
    let log = world.process().await;
    for jar in [clock::new_id(), clock::new_id()] {
        for _ in 0..3 {
            tell(&log, jar, JarCommand::Put(1)).await.unwrap();
        }
    }
    world.run("ALTER TABLE events DISABLE TRIGGER USER").await;
    world
}

async fn fault(world: &World, anchor: Option<&Anchor>) -> Option<String> {
    verify(&world.pool, Expected { anchors: anchor.cloned().into_iter().collect(), ..Expected::default() })
        .await
        .unwrap()
        .fault
}

/// What somebody wrote down about a position.
async fn anchor_at(world: &World, position: i64) -> Anchor {
    let chain = sqlx::query_scalar("SELECT encode(chain, 'hex') FROM events WHERE position = $1");
    let chain: String = chain.bind(position).fetch_one(&world.pool).await.unwrap();
    format!("{position}:{chain}").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untouched_log_verifies_with_and_without_an_anchor() {
    let world = unguarded().await;
    let report =
        verify(&world.pool, Expected { anchors: vec![anchor_at(&world, 6).await], ..Expected::default() })
            .await
            .unwrap();
    assert_eq!((report.events, report.head.get(), report.fault), (6, 6, None));
    assert_eq!(report.head_chain, anchor_at(&world, 6).await.chain);
    assert_eq!(fault(&World::new().await, None).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_the_log_is_verified_and_follows_from_the_one_before() {
    let world = unguarded().await;
    for page_events in 1..=7 {
        let report = verify_in_pages(&world.pool, Expected::default(), page_events).await.unwrap();
        assert_eq!((report.events, report.head.get(), report.fault), (6, 6, None), "pages of {page_events}");
    }
    // The fifth event begins the third page of two.
    world.run("DELETE FROM events WHERE position = 5").await;
    let report = verify_in_pages(&world.pool, Expected::default(), 2).await.unwrap();
    assert_eq!(report.fault.as_deref(), Some("position 6 follows 4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_any_covered_column_is_found_where_it_was_made() {
    let changes = [
        "aggregate_type = 'jug'",
        "aggregate_id = 'another'",
        "sequence = 77",
        "event_type = 'CoinsStolen'",
        "event_version = '9.9'",
        "payload = '{\"type\":\"CoinsPut\",\"amount\":1000}'",
        "payload = (payload::text || ' ')::json",
        "metadata = '{}'",
        "event_id = gen_random_uuid()",
        "owner_id = gen_random_uuid()",
        "owner_id = NULL",
        "recorded_at = recorded_at + interval '1 microsecond'",
        "chain = sha256('forged')",
    ];
    let world = unguarded().await;
    for change in changes {
        world.run("CREATE TABLE kept AS SELECT * FROM events WHERE position = 4").await;
        world.run(&format!("UPDATE events SET {change} WHERE position = 4")).await;
        assert_eq!(fault(&world, None).await.as_deref(), Some("the chain breaks at position 4"), "{change}");
        world.run("DELETE FROM events WHERE position = 4").await;
        world.run("INSERT INTO events SELECT * FROM kept").await;
        world.run("DROP TABLE kept").await;
        assert_eq!(fault(&world, None).await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_row_is_found_at_the_start_and_in_the_middle() {
    let world = unguarded().await;
    world.run("DELETE FROM events WHERE position = 4").await;
    assert_eq!(fault(&world, None).await.as_deref(), Some("position 5 follows 3"));
    world.run("DELETE FROM events WHERE position = 1").await;
    assert_eq!(fault(&world, None).await.as_deref(), Some("position 2 follows 0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_row_is_found_though_the_gap_was_closed() {
    let world = unguarded().await;
    world.run("DELETE FROM events WHERE position = 4").await;
    world.run("UPDATE events SET position = position - 1 WHERE position = 5").await;
    world.run("UPDATE events SET position = position - 1 WHERE position = 6").await;
    assert_eq!(fault(&world, None).await.as_deref(), Some("the chain breaks at position 4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inserted_row_is_found_in_the_middle_and_at_the_end() {
    let insert = |position: i64| {
        format!(
            "INSERT INTO events SELECT {position}, aggregate_type, 'forged', 1, event_type, event_version, \
             payload, metadata, gen_random_uuid(), owner_id, recorded_at, sha256('forged'), authentication \
             FROM events WHERE position = 1"
        )
    };
    let world = unguarded().await;
    world.run(&insert(7)).await;
    assert_eq!(fault(&world, None).await.as_deref(), Some("the chain breaks at position 7"));
    world.run("DELETE FROM events WHERE position = 7").await;
    world.run("UPDATE events SET position = -position - 1 WHERE position >= 3").await;
    world.run("UPDATE events SET position = -position WHERE position < 0").await;
    world.run(&insert(3)).await;
    assert_eq!(fault(&world, None).await.as_deref(), Some("the chain breaks at position 3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_tail_is_found_by_an_anchor() {
    let world = unguarded().await;
    let anchor = anchor_at(&world, 6).await;
    world.run("DELETE FROM events WHERE position > 4").await;
    assert_eq!(fault(&world, None).await, None, "only somebody who remembers the end can miss it");
    let found = fault(&world, Some(&anchor)).await;
    assert_eq!(found.as_deref(), Some("the log ends at 4, before the anchor at 6"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_that_was_written_anew_is_found_by_an_anchor() {
    let world = unguarded().await;
    let anchor = anchor_at(&world, 5).await;
    world.run("DELETE FROM events WHERE position > 4").await;
    let log = world.process().await;
    for _ in 0..2 {
        tell(&log, clock::new_id(), JarCommand::Put(1)).await.unwrap();
    }
    assert_eq!(fault(&world, None).await, None, "the new tail is a chain of its own");
    let found = fault(&world, Some(&anchor)).await;
    assert_eq!(found.as_deref(), Some("position 5 is not what the anchor says"));
}

#[test]
fn an_anchor_is_a_position_and_a_value_in_hex() {
    let anchor: Anchor = "12:00ff".parse().unwrap();
    assert_eq!(anchor, Anchor { position: Position::new(12), chain: vec![0, 255] });
    for text in ["", "12", "12:0", "12:xy", "x:00", ":00"] {
        assert_eq!(text.parse::<Anchor>(), Err(NotAnAnchor), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anchor_from_before_the_beginning_of_an_archived_log_is_not_believed() {
    let world = unguarded().await;
    let (at_floor, before, after) =
        (anchor_at(&world, 2).await, anchor_at(&world, 1).await, anchor_at(&world, 3).await);
    world.run("UPDATE log_identity SET floor_position = 2, floor_chain = (SELECT chain FROM events WHERE position = 2)").await;
    world.run("DELETE FROM events WHERE position <= 2").await;
    assert_eq!(fault(&world, Some(&after)).await, None);
    assert_eq!(fault(&world, Some(&at_floor)).await, None);
    let found = fault(&world, Some(&before)).await;
    assert_eq!(found.as_deref(), Some("the log begins behind 2 and cannot tell what was at 1"));
    world.run("UPDATE log_identity SET floor_chain = sha256('forged')").await;
    assert!(fault(&world, Some(&at_floor)).await.is_some());
}
