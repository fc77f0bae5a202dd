//! Putting back what a restored log lost: only what follows, exactly as it was, and with no second effect.

use event_log::{
    Claim, CommandContext, EventLog, LogError, Position, RecordedEvent, RecoverError, Recovery, clock,
    start_new_log,
};
use uuid::Uuid;

use crate::jar::{Failure, Jar, JarCommand};
use crate::world::{ALICE, World, command, tell, tell_as};

/// A log of ten events, cut off behind the sixth, and what it lost.
struct Cut {
    world: World,
    log: EventLog,
    lost: Vec<RecordedEvent>,
}

/// The last command puts coins into two jars and claims a name.
async fn cut(last: CommandContext) -> Cut {
    let world = World::new().await;
    let writer = world.process().await;
    for _ in 0..4 {
        tell(&writer, clock::new_id(), JarCommand::Put(1)).await.unwrap();
    }
    let jar = clock::new_id();
    for _ in 0..4 {
        tell(&writer, jar, JarCommand::Put(1)).await.unwrap();
    }
    writer
        .unit::<Failure>(last)
        .execute::<Jar>(jar, [JarCommand::Put(7)])
        .create::<Jar>(clock::new_id(), [JarCommand::Put(7)])
        .claim(Claim::take("label", "plums", ALICE))
        .outcome(serde_json::json!({ "answer": 42 }))
        .commit()
        .await
        .unwrap();
    let lost = writer.page(Position::new(6), 100).await.unwrap();
    world.run("ALTER TABLE events DISABLE TRIGGER USER").await;
    world.run("DELETE FROM events WHERE position > 6").await;
    world.run("DELETE FROM command_receipts WHERE last_position > 6").await;
    world.run("TRUNCATE claims, snapshots").await;
    world.run("ALTER TABLE events ENABLE TRIGGER USER").await;
    let log = world.process().await;
    Cut { world, log, lost }
}

fn process_command() -> CommandContext {
    let cause = Uuid::from_u128(0xCA05E);
    CommandContext::for_process("plum-process", cause, cause, None, "put")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_back_is_what_was_there_also_in_several_pages() {
    let Cut { world, log, lost } = cut(command(clock::new_id())).await;
    let mut recovery = Recovery::start(&log).await.unwrap();
    let claims = [Claim::take("label", "plums", ALICE)];
    // The last command's two events are in two pages.
    recovery.append(&lost[..3], &[]).await.unwrap();
    recovery.append(&lost[3..], &claims).await.unwrap();
    assert_eq!((recovery.head().get(), recovery.recovered().events, recovery.recovered().claims), (10, 4, 1));
    assert_eq!(log.page(Position::new(6), 100).await.unwrap(), lost);
    assert_eq!(log.claimed_by("label", "plums").await.unwrap(), Some(ALICE));
    let spans = "SELECT count(*) FROM command_receipts WHERE first_position = 9 AND last_position = 10";
    assert_eq!(world.number(spans).await, 1, "one command has one receipt");
    world.assert_sound().await;
    // Appends go on behind it.
    assert_eq!(tell(&log, clock::new_id(), JarCommand::Put(1)).await.unwrap().position, 11);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_whose_answer_was_lost_has_no_second_effect_and_says_so() {
    let id = clock::new_id();
    let Cut { world, log, lost } = cut(command(id)).await;
    Recovery::start(&log).await.unwrap().append(&lost, &[]).await.unwrap();
    let jar: Uuid = lost[2].aggregate_id.parse().unwrap();
    for body in [b"this body".as_slice(), b"another body"] {
        let context = CommandContext { fingerprint: body.to_vec(), ..command(id) };
        let again = tell_as(&log, context.clone(), jar, JarCommand::Put(7)).await;
        assert!(
            matches!(again, Err(Failure::Log(LogError::OutcomeForgotten { position })) if position == 10),
            "{again:?}"
        );
        // Also where the aggregate itself would refuse, or has nothing to do.
        let refused = tell_as(&log, context.clone(), jar, JarCommand::Take(1000)).await;
        assert!(matches!(refused, Err(Failure::Log(LogError::OutcomeForgotten { .. }))), "{refused:?}");
        let asked = log.first_outcome(&context).await;
        assert!(matches!(asked, Err(LogError::OutcomeForgotten { position }) if position == 10), "{asked:?}");
    }
    assert_eq!(log.load::<Jar>(jar).await.unwrap().state.coins, 11);
    assert_eq!(log.head().await.unwrap(), 10);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_manager_that_repeats_itself_after_a_recovery_is_done_and_keeps_its_receipt_for_ever() {
    let Cut { world, log, lost } = cut(process_command()).await;
    Recovery::start(&log).await.unwrap().append(&lost, &[]).await.unwrap();
    let jar: Uuid = lost[2].aggregate_id.parse().unwrap();
    let answer = serde_json::json!({ "answer": 42 });
    let again = log
        .unit::<Failure>(process_command())
        .execute::<Jar>(jar, [JarCommand::Put(7)])
        .outcome(answer.clone())
        .commit()
        .await
        .unwrap();
    assert_eq!((again.position.get(), again.replayed, again.outcome), (10, true, answer));
    assert_eq!(log.head().await.unwrap(), 10);
    let kept = "SELECT count(*) FROM command_receipts WHERE last_position = 10 AND expires_at IS NULL";
    assert_eq!(world.number(kept).await, 1);
    let client =
        "SELECT count(*) FROM command_receipts WHERE last_position IN (7, 8) AND expires_at IS NOT NULL";
    assert_eq!(world.number(client).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_does_not_follow_is_refused_and_nothing_of_its_page_is_stored() {
    let Cut { world, log, lost } = cut(command(clock::new_id())).await;
    let changed = |change: fn(&mut RecordedEvent)| {
        let mut page = lost.clone();
        change(&mut page[2]);
        page
    };
    let wrong: [(&str, Vec<RecordedEvent>, i64); 6] = [
        ("a changed payload", changed(|event| event.payload.push(' ')), 9),
        ("changed metadata", changed(|event| event.metadata.push(' ')), 9),
        ("another time", changed(|event| event.recorded_at += chrono::TimeDelta::microseconds(1)), 9),
        ("another chain value", changed(|event| event.chain[0] ^= 1), 9),
        ("a missing event", [&lost[..1], &lost[2..]].concat(), 9),
        ("events from further on", lost[1..].to_vec(), 8),
    ];
    for (what, page, at) in wrong {
        let mut recovery = Recovery::start(&log).await.unwrap();
        let refused = recovery.append(&page, &[]).await;
        assert!(
            matches!(refused, Err(RecoverError::OtherHistory { position }) if position == at),
            "{what}: {refused:?}"
        );
        assert_eq!(log.head().await.unwrap(), 6, "{what}");
    }
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_went_on_meanwhile_takes_nothing_back() {
    let Cut { world, log, lost } = cut(command(clock::new_id())).await;
    let mut recovery = Recovery::start(&log).await.unwrap();
    tell(&log, clock::new_id(), JarCommand::Put(1)).await.unwrap();
    let refused = recovery.append(&lost, &[]).await;
    assert!(matches!(refused, Err(RecoverError::Moved { head }) if head == 7), "{refused:?}");
    // The log is of another history from position 7 on.
    let mut again = Recovery::start(&log).await.unwrap();
    let refused = again.append(&lost[1..], &[]).await;
    assert!(matches!(refused, Err(RecoverError::OtherHistory { position }) if position == 8), "{refused:?}");
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_whose_key_was_lost_read_as_erased_and_no_new_key_is_made_for_them() {
    let world = World::new().await;
    let writer = world.process().await;
    let (bob, jar) = (clock::new_id(), clock::new_id());
    tell(&writer, jar, JarCommand::Put(1)).await.unwrap();
    tell(&writer, jar, JarCommand::Note(bob, "a word of Bob's".to_owned())).await.unwrap();
    let lost = writer.page(Position::new(1), 10).await.unwrap();
    let key: Vec<u8> = sqlx::query_scalar("SELECT wrapped FROM data_keys WHERE owner = $1")
        .bind(bob)
        .fetch_one(&world.pool)
        .await
        .unwrap();
    world.run("ALTER TABLE events DISABLE TRIGGER USER").await;
    world.run("DELETE FROM events WHERE position > 1").await;
    world.run("TRUNCATE command_receipts, data_keys, snapshots").await;
    let log = world.process().await;
    let mut recovery = Recovery::start(&log).await.unwrap();
    recovery.append(&lost, &[]).await.unwrap();
    let done = recovery.recovered();
    assert_eq!((done.sealed_for_good, done.lost_keys.iter().copied().collect::<Vec<_>>()), (1, vec![bob]));
    assert_eq!(log.page(Position::new(1), 10).await.unwrap(), lost, "still sealed, as it was");
    tell(&log, jar, JarCommand::Note(bob, "another word".to_owned())).await.unwrap();
    let notes = world.process().await.load::<Jar>(jar).await.unwrap().state.notes;
    let erased = serde_json::json!({ "$erased": { "owner": bob } });
    assert_eq!(notes, [erased.clone(), erased.clone()]);
    // Somebody whose key was lost was not erased: no start of a server may finish what nobody began.
    assert_eq!(event_log::erase::erased_persons(&world.pool).await.unwrap(), []);
    // A key that turns up later opens the words that were sealed with it.
    sqlx::query("UPDATE data_keys SET wrapped = $2, erased_at = NULL, lost_at = NULL WHERE owner = $1")
        .bind(bob)
        .bind(key)
        .execute(&world.pool)
        .await
        .unwrap();
    let notes = world.process().await.load::<Jar>(jar).await.unwrap().state.notes;
    assert_eq!(notes[0]["$personal"]["value"], "a word of Bob's");
    assert_eq!(notes[1], erased);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_log_has_another_id_and_the_same_origin() {
    let world = World::new().await;
    let log = world.process().await;
    let before = log.identity().await.unwrap();
    let log_id = start_new_log(&world.pool).await.unwrap();
    let after = log.identity().await.unwrap();
    assert_ne!(before.log_id, log_id);
    assert_eq!((after.log_id, after.origin_id), (log_id, before.origin_id));
}
