//! Work of a newer program, while an older one still runs.

use event_log::clock;
use serde_json::json;

use crate::support::socket::Socket;
use crate::support::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn work_that_this_program_does_not_know_stays_open_and_undisturbed_while_the_rest_is_done() {
    let world = World::start().await;
    let newer = clock::new_id();
    // Due for longer than anything else, so every claim meets it first.
    sqlx::query(
        "INSERT INTO work (work_id, role, task, subject, position, cause, correlation_id, caused_at, due_at) \
         VALUES ($1, 'assistant', 'tell_a_joke', $1::text, 1, $1, $1, now(), now() - interval '1 day')",
    )
    .bind(newer)
    .execute(&world.pool)
    .await
    .unwrap();

    let user = world.user().await;
    let mut socket = Socket::open(&user, None).await;
    for wish in ["a castle", "a volcano"] {
        let chat = user.start_chat().await;
        user.say(&chat, &json!({ "type": "text", "content": wish })).await.expect(201);
        socket.until_message("algorithm_select").await;
    }

    let undisturbed = "SELECT done_at IS NULL AND held_until IS NULL AND last_error IS NULL \
             AND attempts = 0 AND fence = 0 AND due_at < now() - interval '23 hours' \
         FROM work WHERE work_id = $1";
    let is_open: bool = sqlx::query_scalar(undisturbed).bind(newer).fetch_one(&world.pool).await.unwrap();
    assert!(is_open, "the row waits for a newer program");
    // The newer program comes, and with it rest.
    sqlx::query("DELETE FROM work WHERE work_id = $1").bind(newer).execute(&world.pool).await.unwrap();
    world.check(&[]).await;
}
