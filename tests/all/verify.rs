//! `routix log verify`: what it prints, what it finds, and how it ends.

use crate::support::checker::jetstream;
use crate::support::world::World;

/// How the command ended, and what it printed.
async fn verify(world: &World, arguments: &[&str]) -> (Option<i32>, String) {
    let arguments = [&["log", "verify"], arguments].concat();
    let done = world.surroundings.command(&arguments).output().await.unwrap();
    (done.status.code(), String::from_utf8_lossy(&done.stdout).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_says_what_it_checked_and_ends_with_a_code_of_its_own_for_each_outcome() {
    let mut world = World::start().await;
    let user = world.user().await;
    let order = user.order("to be verified").await.expect(201);
    user.finished(order["id"].as_str().unwrap()).await;
    world.check(&[]).await;
    let head = world.head().await;
    let (code, printed) = verify(&world, &[]).await;
    assert_eq!(code, Some(0), "{printed}");
    for words in [
        format!("{head} events read, positions 1 to {head}"),
        format!("head {head}:"),
        "the chain is whole".to_owned(),
        "no anchor was given".to_owned(),
        format!("{head} messages compared, positions 1 to {head}: all equal"),
    ] {
        assert!(printed.contains(&words), "{words} is missing in {printed}");
    }
    let anchor = printed.lines().find_map(|line| line.strip_prefix("head ")).unwrap().to_owned();
    let (code, printed) = verify(&world, &["--anchor", &anchor]).await;
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains(&format!("the anchor at {head} holds")), "{printed}");
    let (code, printed) = verify(&world, &["--anchor", &format!("{head}:00")]).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("FAULT: position"), "{printed}");

    // A message that is no event stands in the stream: only a comparison finds it.
    drop(world.workers.drain(..));
    let context = jetstream(&world.surroundings.nats_url).await;
    context.publish("routix.events.user.Forged", "{}".into()).await.unwrap().await.unwrap();
    let (code, printed) = verify(&world, &["--anchor", &anchor]).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(
        printed.contains(&format!("FAULT: the stream is at {}, the log at {head}", head + 1)),
        "{printed}"
    );

    world.with_nats(|nats| nats.stop().unwrap()).await;
    let (code, printed) = verify(&world, &[]).await;
    assert_eq!(code, Some(2), "{printed}");
    assert!(printed.contains("the stream was not compared"), "{printed}");

    sqlx::query("ALTER TABLE events DISABLE TRIGGER USER").execute(&world.pool).await.unwrap();
    let change = "UPDATE events SET payload = (payload::text || ' ')::json WHERE position = 3";
    sqlx::query(change).execute(&world.pool).await.unwrap();
    let (code, printed) = verify(&world, &[]).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("FAULT: the chain breaks at position 3"), "{printed}");
}
