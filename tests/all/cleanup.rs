//! `routix cleanup`: tables do not grow for ever, and what is still needed stays.

use serde_json::json;

use crate::support::world::World;

/// The number that the table has behind a name.
fn number(printed: &str, table: &str) -> i64 {
    let row =
        printed.lines().find(|line| line.trim().starts_with(table)).unwrap_or_else(|| panic!("{printed}"));
    row.split_whitespace().last().unwrap().parse().unwrap()
}

async fn left(world: &World) -> (i64, i64) {
    sqlx::query_as("SELECT (SELECT count(*) FROM command_receipts), (SELECT count(*) FROM work)")
        .fetch_one(&world.pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clean_up_removes_what_is_past_its_end_and_a_dry_run_removes_nothing() {
    let world = World::start().await;
    let user = world.user().await;
    let chat = user.start_chat().await;
    user.say(&chat, &json!({ "type": "text", "content": "a castle" })).await.expect(201);
    world.check(&[]).await;
    let (receipts, work) = left(&world).await;
    let ending: i64 =
        sqlx::query_scalar("SELECT count(*) FROM command_receipts WHERE expires_at IS NOT NULL")
            .fetch_one(&world.pool)
            .await
            .unwrap();
    let (sound, printed) = world.routix(&["cleanup"]).await;
    assert!(sound && number(&printed, "command_receipts") == 0 && number(&printed, "work") == 0, "{printed}");
    // A month passes.
    let pass = "UPDATE command_receipts SET expires_at = expires_at - interval '31 days'; \
                UPDATE work SET done_at = done_at - interval '31 days'";
    sqlx::raw_sql(pass).execute(&world.pool).await.unwrap();
    let (sound, printed) = world.routix(&["cleanup", "--dry-run"]).await;
    assert!(sound && printed.contains("would go"), "{printed}");
    assert_eq!((number(&printed, "command_receipts"), number(&printed, "work")), (ending, work));
    assert_eq!(left(&world).await, (receipts, work));
    let (sound, printed) = world.routix(&["cleanup"]).await;
    assert!(sound && number(&printed, "command_receipts") == ending, "{printed}");
    assert_eq!(left(&world).await, (receipts - ending, 0));
    // The service goes on, and nobody is answered twice.
    user.say(&chat, &json!({ "type": "text", "content": "a volcano" })).await.expect(201);
}
