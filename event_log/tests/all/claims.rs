//! Names that are unique: taken and released with the events that need it.

use event_log::{Claim, EventLog, LogError, clock};
use futures::future::join_all;
use uuid::Uuid;

use crate::jar::{Failure, Jar, JarCommand};
use crate::world::{World, new_command};

const KIND: &str = "label";

async fn label(log: &EventLog, jar: Uuid, claims: Vec<Claim>) -> Result<(), Failure> {
    let unit = log.unit::<Failure>(new_command()).execute::<Jar>(jar, [JarCommand::Put(1)]);
    claims.into_iter().fold(unit, event_log::Unit::claim).commit().await.map(|_| ())
}

fn is_taken(result: &Result<(), Failure>) -> bool {
    matches!(result, Err(Failure::Log(LogError::Taken { kind })) if kind == KIND)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_who_take_a_name_at_once_one_gets_it_and_the_others_write_nothing() {
    let world = World::new().await;
    let logs = [world.process().await, world.process().await];
    let takers = (0..50).map(|number| {
        let log = logs[number % 2].clone();
        tokio::spawn(async move {
            let jar = clock::new_id();
            (jar, label(&log, jar, vec![Claim::take(KIND, "honey", jar)]).await)
        })
    });
    let answers: Vec<_> = join_all(takers).await.into_iter().map(Result::unwrap).collect();
    let winners: Vec<Uuid> =
        answers.iter().filter(|(_, answer)| answer.is_ok()).map(|(jar, _)| *jar).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(answers.iter().filter(|(_, answer)| is_taken(answer)).count(), 49);
    assert_eq!(logs[0].claimed_by(KIND, "honey").await.unwrap(), Some(winners[0]));
    assert_eq!(world.number("SELECT count(*) FROM events").await, 1);
    assert_eq!(world.number("SELECT count(*) FROM command_receipts").await, 1);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_was_released_can_be_taken_again() {
    let world = World::new().await;
    let log = world.process().await;
    let (first, second) = (clock::new_id(), clock::new_id());
    label(&log, first, vec![Claim::take(KIND, "honey", first)]).await.unwrap();
    assert!(is_taken(&label(&log, second, vec![Claim::take(KIND, "honey", second)]).await));
    label(&log, first, vec![Claim::release(KIND, "honey", first)]).await.unwrap();
    assert_eq!(log.claimed_by(KIND, "honey").await.unwrap(), None);
    label(&log, second, vec![Claim::take(KIND, "honey", second)]).await.unwrap();
    assert_eq!(log.claimed_by(KIND, "honey").await.unwrap(), Some(second));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_releases_and_takes_a_name_passes_it_on() {
    let world = World::new().await;
    let log = world.process().await;
    let (first, second) = (clock::new_id(), clock::new_id());
    label(&log, first, vec![Claim::take(KIND, "default", first)]).await.unwrap();
    let pass_on = vec![Claim::release(KIND, "default", first), Claim::take(KIND, "default", second)];
    label(&log, second, pass_on).await.unwrap();
    assert_eq!(log.claimed_by(KIND, "default").await.unwrap(), Some(second));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_of_which_one_name_is_taken_takes_none_of_its_names() {
    let world = World::new().await;
    let log = world.process().await;
    let (first, second) = (clock::new_id(), clock::new_id());
    label(&log, first, vec![Claim::take(KIND, "honey", first)]).await.unwrap();
    let both = vec![Claim::take(KIND, "jam", second), Claim::take(KIND, "honey", second)];
    assert!(is_taken(&label(&log, second, both).await));
    assert_eq!(log.claimed_by(KIND, "jam").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_another_kind_is_another_name_and_none_is_stored_in_the_clear() {
    let world = World::new().await;
    let log = world.process().await;
    let jar = clock::new_id();
    label(&log, jar, vec![Claim::take(KIND, "honey", jar), Claim::take("shelf", "honey", jar)])
        .await
        .unwrap();
    assert_eq!(log.claimed_by("shelf", "honey").await.unwrap(), Some(jar));
    assert_eq!(world.number("SELECT count(DISTINCT key_hash) FROM claims").await, 2);
    let clear = "SELECT count(*) FROM claims WHERE key_hash = 'honey'::bytea OR length(key_hash) <> 32";
    assert_eq!(world.number(clear).await, 0);
}
