//! The keys beside the log: erased for good, backed up apart, wrapped anew by another master key.

use event_log::erase::{self, ErasureReceipt, KeptReceipts};
use event_log::keys::{self, BackupLine, Restored};
use event_log::{Claim, EventLog, LogError, LogOptions, MasterKey, Position, clock};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::jar::{Failure, Jar, JarCommand};
use crate::world::{ALICE, World, new_command, tell};

const BOB: Uuid = Uuid::from_u128(0xB0B);
const OLD: &[u8] = b"a secret of tests";
const NEW: &[u8] = b"another secret of tests";

fn known(owner: Uuid, words: &str) -> Value {
    json!({ "$personal": { "owner": owner, "value": words } })
}

fn erased(owner: Uuid) -> Value {
    json!({ "$erased": { "owner": owner } })
}

impl World {
    async fn unlocked(&self, master: MasterKey) -> EventLog {
        let keys = master.unlock(&self.pool).await.unwrap();
        EventLog::start(self.pool.clone(), &keys, &LogOptions::default())
    }

    async fn notes_by(&self, master: MasterKey, jar: Uuid) -> Result<Vec<Value>, LogError> {
        Ok(self.unlocked(master).await.load::<Jar>(jar).await?.state.notes)
    }

    async fn backup(&self) -> Vec<BackupLine> {
        let mut lines = Vec::new();
        keys::backup::<LogError>(&self.pool, |line| {
            lines.push(line.clone());
            Ok(())
        })
        .await
        .unwrap();
        lines
    }

    /// What the program appends when it erases somebody.
    async fn append_erasure(&self, person: Uuid) -> Uuid {
        let event_id = clock::new_id();
        let statement = "INSERT INTO events (position, aggregate_type, aggregate_id, sequence, event_type, \
                 event_version, payload, metadata, event_id, owner_id, recorded_at, chain, authentication) \
             SELECT coalesce(max(position), 0) + 1, 'user', $1, 2, 'PersonErased', '1.0', '{}', '{}', $2, NULL, \
                    now(), '', '' FROM events";
        sqlx::query(statement).bind(person.to_string()).bind(event_id).execute(&self.pool).await.unwrap();
        self.authenticate().await;
        event_id
    }
}

/// A jar with a note of Alice's and one of Bob's.
async fn two_notes(log: &EventLog) -> Uuid {
    let jar = clock::new_id();
    tell(log, jar, JarCommand::Note(ALICE, "marmalade".to_owned())).await.unwrap();
    tell(log, jar, JarCommand::Note(BOB, "butter".to_owned())).await.unwrap();
    jar
}

#[tokio::test(flavor = "multi_thread")]
async fn the_event_that_erases_a_person_destroys_the_key_in_its_own_transaction() {
    let world = World::new().await;
    let jar = two_notes(&world.process().await).await;
    let event_id = world.append_erasure(ALICE).await;
    let notes = world.process().await.load::<Jar>(jar).await.unwrap().state.notes;
    assert_eq!(notes, [erased(ALICE), known(BOB, "butter")]);
    let persons = erase::erased_persons(&world.pool).await.unwrap();
    assert_eq!(
        persons.iter().map(|one| (one.person, one.event_id)).collect::<Vec<_>>(),
        [(ALICE, Some(event_id))]
    );
    // One whom nobody has a key of yet never gets one.
    let carol = clock::new_id();
    world.append_erasure(carol).await;
    tell(&world.process().await, jar, JarCommand::Note(carol, "late".to_owned())).await.unwrap();
    let notes = world.process().await.load::<Jar>(jar).await.unwrap().state.notes;
    assert_eq!(notes[2], erased(carol));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_comes_to_an_erasure_reads_nothing_of_the_person_behind_it() {
    let world = World::new().await;
    let (writer, reader) = (world.process().await, world.process().await);
    let jar = two_notes(&writer).await;
    for event in reader.page(Position::new(0), 10).await.unwrap() {
        reader.open(event.into()).await.unwrap();
    }
    world.append_erasure(ALICE).await;
    // Written by a process that has not heard of it, with the key that it remembers.
    tell(&writer, jar, JarCommand::Note(ALICE, "too late".to_owned())).await.unwrap();
    let mut payloads = Vec::new();
    for event in reader.page(Position::new(2), 10).await.unwrap() {
        payloads.push(reader.open(event.into()).await.unwrap().payload);
    }
    assert_eq!(payloads.len(), 2);
    assert!(payloads[1].contains("$erased"), "{}", payloads[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_destroyed_never_comes_back() {
    let world = World::new().await;
    two_notes(&world.process().await).await;
    erase::destroy_key(&world.pool, ALICE).await.unwrap();
    erase::destroy_key(&world.pool, ALICE).await.unwrap();
    for statement in [
        "UPDATE data_keys SET wrapped = 'x', erased_at = NULL WHERE erased_at IS NOT NULL",
        "DELETE FROM data_keys WHERE erased_at IS NOT NULL",
    ] {
        let refused = sqlx::query(statement).execute(&world.pool).await.unwrap_err();
        assert!(refused.to_string().contains("stays so"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_backup_brings_back_what_a_restored_database_lacks() {
    let world = World::new().await;
    let jar = two_notes(&world.process().await).await;
    let master = || MasterKey::from_secret(OLD);
    let backup = world.backup().await;
    let text = serde_json::to_string(&backup).unwrap();
    assert!(text.contains(&ALICE.to_string()) && !text.contains("marmalade"));
    // The database was restored from a backup that is older than Bob, and Alice's key was lost with it.
    world.run("DELETE FROM data_keys").await;
    assert_eq!(world.notes_by(master(), jar).await.unwrap(), [erased(ALICE), erased(BOB)]);
    let restored = keys::restore(&world.pool, &master(), &backup, &[]).await.unwrap();
    assert_eq!(restored, Restored { restored: 2, ..Restored::default() });
    assert_eq!(
        world.notes_by(master(), jar).await.unwrap(),
        [known(ALICE, "marmalade"), known(BOB, "butter")]
    );
    let again = keys::restore(&world.pool, &master(), &backup, &[]).await.unwrap();
    assert_eq!(again, Restored { present: 2, ..Restored::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_backup_brings_no_erased_person_back_and_replaces_no_key() {
    let world = World::new().await;
    let jar = two_notes(&world.process().await).await;
    let master = || MasterKey::from_secret(OLD);
    let backup = world.backup().await;
    // The database knows that Alice was erased; that Bob was, only the receipts know.
    erase::destroy_key(&world.pool, ALICE).await.unwrap();
    world.run("DELETE FROM data_keys WHERE wrapped IS NOT NULL").await;
    let receipt = ErasureReceipt { person: BOB, erased_at: clock::now(), event_id: None };
    let done = keys::restore(&world.pool, &master(), &backup, &[receipt]).await.unwrap();
    assert_eq!(done, Restored { erased: 2, ..Restored::default() });
    assert_eq!(world.notes_by(master(), jar).await.unwrap(), [erased(ALICE), erased(BOB)]);
    // Bob said something new before the backup was brought.
    tell(&world.process().await, jar, JarCommand::Note(BOB, "jam".to_owned())).await.unwrap();
    let done = keys::restore(&world.pool, &master(), &backup, &[]).await.unwrap();
    assert_eq!(done, Restored { erased: 1, differing: 1, ..Restored::default() });
    let log_of_others = [BackupLine::Log { log_id: clock::new_id() }];
    assert!(keys::restore(&world.pool, &master(), &log_of_others, &[]).await.is_err());
    assert!(keys::restore(&world.pool, &MasterKey::from_secret(NEW), &backup, &[]).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_master_key_takes_over_while_processes_of_the_old_one_are_still_at_work() {
    let world = World::new().await;
    let old = world.unlocked(MasterKey::from_secret(OLD).accepting(NEW)).await;
    let jar = two_notes(&old).await;
    let take = |owner| Claim::take("name", "Jar of Alice", owner);
    let unit = old.unit::<Failure>(new_command()).execute::<Jar>(jar, [JarCommand::Put(1)]);
    unit.claim(take(jar)).commit().await.unwrap();
    let print = old.vault().fingerprint(&[b"a body"]);

    let both = || MasterKey::from_secret(NEW).accepting(OLD);
    assert_eq!(world.notes_by(both(), jar).await.unwrap().len(), 2);
    let refused = MasterKey::from_secret(NEW).unlock(&world.pool).await.unwrap_err();
    assert!(matches!(refused, LogError::Unreadable { .. }), "{refused}");
    let done = keys::rotate(&world.pool, &both(), &|_| {}).await.unwrap();
    assert_eq!((done.rewrapped, done.current), (7, 0), "two persons and five secrets of the log");
    let done = keys::rotate(&world.pool, &both(), &|_| {}).await.unwrap();
    assert_eq!((done.rewrapped, done.current), (0, 7), "a second run finds nothing to do");

    // The old process still makes keys of its own kind; another run finds them.
    let carol = clock::new_id();
    tell(&old, jar, JarCommand::Note(carol, "tea".to_owned())).await.unwrap();
    assert_eq!(old.load::<Jar>(jar).await.unwrap().state.notes.len(), 3);
    assert_eq!(keys::rotate(&world.pool, &both(), &|_| {}).await.unwrap().rewrapped, 1);

    let new = world.unlocked(MasterKey::from_secret(NEW)).await;
    assert_eq!(
        new.load::<Jar>(jar).await.unwrap().state.notes,
        [known(ALICE, "marmalade"), known(BOB, "butter"), known(carol, "tea")]
    );
    assert_eq!(new.claimed_by("name", "Jar of Alice").await.unwrap(), Some(jar), "claims are found");
    assert_eq!(new.vault().fingerprint(&[b"a body"]), print, "bodies are recognised");
    let refused = MasterKey::from_secret(OLD).unlock(&world.pool).await.unwrap_err();
    assert!(matches!(refused, LogError::Unreadable { .. }), "the old key opens nothing any more: {refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_events_were_written_with_are_not_made_anew() {
    let world = World::new().await;
    let jar = two_notes(&world.process().await).await;
    let backup = world.backup().await;
    world.run("DELETE FROM log_secrets").await;
    let refused = MasterKey::from_secret(OLD).unlock(&world.pool).await.unwrap_err();
    assert!(refused.to_string().contains("routix keys restore"), "{refused}");
    keys::restore(&world.pool, &MasterKey::from_secret(OLD), &backup, &[]).await.unwrap();
    assert_eq!(world.process().await.load::<Jar>(jar).await.unwrap().state.notes.len(), 2);
}

#[test]
fn receipts_of_erasure_are_added_once_survive_a_torn_line_and_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept").join("erasures.jsonl");
    let kept = KeptReceipts::at(&path);
    assert_eq!(kept.all().unwrap(), []);
    let receipt =
        |person| ErasureReceipt { person, erased_at: clock::now(), event_id: Some(clock::new_id()) };
    let (alice, bob) = (receipt(ALICE), receipt(BOB));
    kept.keep(&[alice]).unwrap();
    kept.keep(&[alice, receipt(ALICE)]).unwrap();
    assert_eq!(kept.all().unwrap(), [alice]);
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{whole}{{\"person\":\"0000")).unwrap();
    assert_eq!(kept.all().unwrap(), [alice]);
    kept.keep(&[bob]).unwrap();
    assert_eq!(kept.all().unwrap(), [alice, bob]);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::write(&path, format!("nonsense\n{whole}")).unwrap();
    assert!(kept.all().is_err(), "a receipt that cannot be read is not passed over");
}
