//! Command ids: the same id has one effect and one answer, whoever asks, and no other command may use it.

use event_log::{CommandContext, Committed, EventLog, LogError, ReceiptLife, clock};
use serde_json::json;
use uuid::Uuid;

use crate::jar::{Failure, Jar, JarCommand, NotEnough};
use crate::world::{ALICE, World, command, tell, tell_as};

async fn put_one(log: &EventLog, context: CommandContext, jar: Uuid) -> Result<Committed, Failure> {
    let outcome = json!({ "asked_at": clock::new_id() });
    log.unit::<Failure>(context).execute::<Jar>(jar, [JarCommand::Put(1)]).outcome(outcome).commit().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_command_id_in_two_processes_at_once_has_one_effect_and_one_outcome() {
    const ROUNDS: i64 = 25;
    let world = World::new().await;
    let (here, there) = (world.process().await, world.process().await);
    let jar = clock::new_id();
    for round in 1..=ROUNDS {
        let id = clock::new_id();
        let (one, other) = tokio::join!(put_one(&here, command(id), jar), put_one(&there, command(id), jar));
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!((one.position, &one.outcome), (other.position, &other.outcome));
        assert_ne!(one.replayed, other.replayed, "one of the two had the effect");
        assert_eq!(world.events_of(jar).await, round);
    }
    assert_eq!(here.load::<Jar>(jar).await.unwrap().state.coins, ROUNDS);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_command_id_in_one_process_at_once_has_one_effect() {
    let world = World::new().await;
    let log = world.process().await;
    let (jar, id) = (clock::new_id(), clock::new_id());
    let calls = (0..20).map(|_| put_one(&log, command(id), jar));
    let answers = futures::future::join_all(calls).await;
    let first = answers[0].as_ref().unwrap();
    for answer in &answers {
        assert_eq!(answer.as_ref().unwrap().outcome, first.outcome);
    }
    assert_eq!(answers.iter().filter(|answer| !answer.as_ref().unwrap().replayed).count(), 1);
    assert_eq!(world.events_of(jar).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_sent_again_later_gives_the_first_outcome_though_the_state_would_refuse_it_now() {
    let world = World::new().await;
    let (here, there) = (world.process().await, world.process().await);
    let (jar, id) = (clock::new_id(), clock::new_id());
    tell(&here, jar, JarCommand::Put(5)).await.unwrap();
    let first = tell_as(&here, command(id), jar, JarCommand::Take(5)).await.unwrap();
    for log in [&here, &there] {
        let again = tell_as(log, command(id), jar, JarCommand::Take(5)).await.unwrap();
        assert!(again.replayed);
        assert_eq!((again.position, again.outcome), (first.position, first.outcome.clone()));
    }
    let remembered = there.first_outcome(&command(id)).await.unwrap().unwrap();
    assert_eq!(remembered.position, first.position);
    assert_eq!(there.first_outcome(&command(clock::new_id())).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_was_used_for_another_body_is_refused() {
    let world = World::new().await;
    let (here, there) = (world.process().await, world.process().await);
    let (jar, id) = (clock::new_id(), clock::new_id());
    tell_as(&here, command(id), jar, JarCommand::Put(5)).await.unwrap();
    let other_body = CommandContext { fingerprint: b"another body".to_vec(), ..command(id) };
    // What the state would accept, and what it would refuse: the answer is the same.
    for what in [JarCommand::Put(6), JarCommand::Take(60)] {
        for log in [&here, &there] {
            let refused = tell_as(log, other_body.clone(), jar, what.clone()).await.unwrap_err();
            let Failure::Log(LogError::CommandIdReused { command_id }) = refused else {
                panic!("not refused as reused: {refused}")
            };
            assert_eq!(command_id, id);
        }
    }
    let asked = here.first_outcome(&other_body).await.unwrap_err();
    assert!(matches!(asked, LogError::CommandIdReused { .. }));
    assert_eq!(world.events_of(jar).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_decided_afresh_under_the_same_id() {
    let world = World::new().await;
    let log = world.process().await;
    let (jar, id) = (clock::new_id(), clock::new_id());
    let refused = tell_as(&log, command(id), jar, JarCommand::Take(5)).await.unwrap_err();
    assert!(matches!(refused, Failure::Jar(NotEnough { .. })));
    tell(&log, jar, JarCommand::Put(5)).await.unwrap();
    assert!(!tell_as(&log, command(id), jar, JarCommand::Take(5)).await.unwrap().replayed);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_may_use_the_same_command_id() {
    let world = World::new().await;
    let log = world.process().await;
    let (jar, id) = (clock::new_id(), clock::new_id());
    let bob = CommandContext { actor: event_log::Actor::User(clock::new_id()), ..command(id) };
    assert!(!tell_as(&log, command(id), jar, JarCommand::Put(1)).await.unwrap().replayed);
    assert!(!tell_as(&log, bob, jar, JarCommand::Put(1)).await.unwrap().replayed);
    assert_eq!(world.events_of(jar).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_of_a_process_manager_run_twice_has_one_effect_and_its_receipt_ends_where_it_says_so() {
    let world = World::new().await;
    let (here, there) = (world.process().await, world.process().await);
    let (jar, cause) = (clock::new_id(), clock::new_id());
    let step = |name| CommandContext::for_process("tests", cause, cause, Some(ALICE), name);
    let first = tell_as(&here, step("one"), jar, JarCommand::Put(1)).await.unwrap();
    let again = tell_as(&there, step("one"), jar, JarCommand::Put(1)).await.unwrap();
    assert_eq!((again.position, again.replayed), (first.position, true));
    tell_as(&there, step("two"), jar, JarCommand::Put(1)).await.unwrap();
    assert_eq!(world.events_of(jar).await, 2);
    tell(&here, jar, JarCommand::Put(1)).await.unwrap();
    let ending = CommandContext { receipt: ReceiptLife::Step, ..step("three") };
    tell_as(&here, ending, jar, JarCommand::Put(1)).await.unwrap();
    let endless = world.number("SELECT count(*) FROM command_receipts WHERE expires_at IS NULL").await;
    let ending = world
        .number("SELECT count(*) FROM command_receipts WHERE expires_at > now() + interval '29 days'")
        .await;
    assert_eq!((endless, ending), (2, 2));
}
