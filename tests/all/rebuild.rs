//! `routix rebuild` on a running system.

use std::process::Output;

use crate::support::eventually;
use crate::support::world::World;

async fn rebuild(world: &World, arguments: &[&str]) -> (Option<i32>, String) {
    let arguments: Vec<&str> = ["rebuild"].iter().chain(arguments).copied().collect();
    let Output { status, stdout, stderr } = world.surroundings.command(&arguments).output().await.unwrap();
    let printed = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    (status.code(), printed)
}

async fn stages(world: &World) -> i64 {
    let count = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'rebuild%'";
    sqlx::query_scalar(count).fetch_one(&world.pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_says_what_it_compared_and_swaps_only_what_is_equal() {
    let world = World::start().await;
    let user = world.user().await;
    let order = user.order("worth keeping").await.expect(201);
    user.finished(order["id"].as_str().unwrap()).await;
    for projection in projections::all().iter().filter(|projection| !projection.spec().tables.is_empty()) {
        let (code, printed) = rebuild(&world, &[projection.spec().name]).await;
        assert_eq!(code, Some(0), "{printed}");
        for word in ["events/s", "compared at position", "equal", "swapped at position"] {
            assert!(printed.contains(word), "{word} is missing in {printed}");
        }
    }
    sqlx::query("UPDATE credit_balances SET available = available + 1").execute(&world.pool).await.unwrap();
    let (code, printed) = rebuild(&world, &["credits"]).await;
    assert_eq!(code, Some(3), "{printed}");
    assert!(printed.contains("DIFFERS") && printed.contains("NOT swapped"), "{printed}");
    let (code, printed) = rebuild(&world, &["credits", "--changed"]).await;
    assert_eq!(code, Some(0), "{printed}");
    let (code, printed) = rebuild(&world, &["work"]).await;
    assert!(code == Some(1) && printed.contains("has no tables of its own"), "{printed}");
    let (code, printed) = rebuild(&world, &["nothing"]).await;
    assert!(code == Some(1) && printed.contains("conversations"), "{printed}");
    let again = user.order("and one more").await.expect(201);
    user.finished(again["id"].as_str().unwrap()).await;
    assert_eq!(stages(&world).await, 0);
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_killed_in_the_middle_is_done_again_and_nobody_notices() {
    let world = World::start().await;
    let user = world.user().await;
    let order = user.order("before").await.expect(201);
    user.finished(order["id"].as_str().unwrap()).await;
    // Somebody reads the table for long, so the rebuild cannot end.
    let mut reading = world.pool.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM generation_requests").execute(&mut *reading).await.unwrap();
    let mut doomed = world.surroundings.command(&["rebuild", "generations"]).spawn().unwrap();
    eventually("the rebuild wants to swap", || async {
        let waiting = "SELECT count(*) FROM pg_locks JOIN pg_class ON pg_class.oid = relation \
             WHERE relname = 'generation_requests' AND mode = 'AccessExclusiveLock' AND NOT granted";
        let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(&world.pool).await.unwrap();
        (waiting > 0).then_some(())
    })
    .await;
    doomed.kill().await.unwrap();
    let status = user.get(&format!("/api/v1/generation/{}/status", order["id"].as_str().unwrap())).await;
    assert_eq!(status.expect(200)["status"], "completed");
    reading.rollback().await.unwrap();
    assert_eq!(stages(&world).await, 1, "it died on the way");
    let (code, printed) = rebuild(&world, &["generations"]).await;
    assert_eq!(code, Some(0), "{printed}");
    assert_eq!(stages(&world).await, 0);
    let order = user.order("after").await.expect(201);
    user.finished(order["id"].as_str().unwrap()).await;
    world.check(&[]).await;
}
