//! Personal data: nowhere in the clear, readable with its key, gone for good when the key is destroyed.

use std::sync::Arc;

use event_log::{Actor, CommandContext, EventLog, LogError, MasterKey, Position, clock};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::jar::{Failure, Jar, JarCommand, JarEvent};
use crate::world::{ALICE, World, command, new_command, tell};

const WORDS: &str = "marmalade";
const ADDRESS: &str = "203.0.113.77";

fn known(owner: Uuid, words: &str) -> Value {
    json!({ "$personal": { "owner": owner, "value": words } })
}

fn erased(owner: Uuid) -> Value {
    json!({ "$erased": { "owner": owner } })
}

async fn erase(world: &World, owner: Uuid) {
    let statement = "UPDATE data_keys SET wrapped = NULL, erased_at = now() WHERE owner = $1";
    let erased = sqlx::query(statement).bind(owner).execute(&world.pool).await.unwrap();
    assert_eq!(erased.rows_affected(), 1);
}

/// Enough events for a snapshot, with Alice's words in it, said from her address.
async fn alices_jar(log: &EventLog) -> Uuid {
    let jar = clock::new_id();
    let note = JarCommand::Note(ALICE, WORDS.to_owned());
    let commands = std::iter::once(note).chain((0..120).map(|_| JarCommand::Put(1)));
    let context = CommandContext {
        ip: Some(ADDRESS.to_owned()),
        user_agent: Some(format!("{WORDS} browser")),
        ..new_command()
    };
    log.unit::<Failure>(context).execute::<Jar>(jar, commands).commit().await.unwrap();
    jar
}

/// In how many rows of any table a text can be read.
async fn rows_with(world: &World, text: &str) -> i64 {
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&world.pool).await.unwrap();
    let mut rows = 0;
    for table in tables {
        let hex = hex::encode(text);
        let query = format!(
            "SELECT count(*) FROM {table} AS t WHERE t::text LIKE '%{text}%' OR t::text LIKE '%{hex}%'"
        );
        rows += world.number(&query).await;
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_a_person_is_nowhere_in_the_database_in_the_clear() {
    let world = World::new().await;
    let jar = alices_jar(&world.process().await).await;
    assert_eq!(world.number("SELECT count(*) FROM snapshots").await, 1);
    assert!(rows_with(&world, "CoinsPut").await > 0, "the search finds what is in the clear");
    assert_eq!(rows_with(&world, WORDS).await, 0);
    assert_eq!(rows_with(&world, ADDRESS).await, 0);
    assert_eq!(
        world.number("SELECT count(*) FROM events WHERE metadata->>'ip' LIKE 'sealed:%'").await,
        world.events_of(jar).await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sealed_words_open_again_from_snapshot_and_from_events() {
    let world = World::new().await;
    let jar = alices_jar(&world.process().await).await;
    let fresh = world.process().await;
    assert_eq!(fresh.load::<Jar>(jar).await.unwrap().state.notes, [known(ALICE, WORDS)]);
    world.run("DELETE FROM snapshots").await;
    assert_eq!(world.process().await.load::<Jar>(jar).await.unwrap().state.notes, [known(ALICE, WORDS)]);
    let recorded = fresh.page(Position::new(0), 1).await.unwrap().remove(0);
    let opened = fresh.open(Arc::new(recorded)).await.unwrap();
    assert_eq!(opened.parse::<JarEvent>().unwrap(), JarEvent::NoteLeft { note: known(ALICE, WORDS) });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_persons_words_are_gone_and_the_chain_still_verifies() {
    let world = World::new().await;
    let old = world.process().await;
    let jar = alices_jar(&old).await;
    erase(&world, ALICE).await;
    let fresh = world.process().await;
    let loaded = fresh.load::<Jar>(jar).await.unwrap();
    assert_eq!((loaded.state.notes, loaded.state.coins), (vec![erased(ALICE)], 120));
    world.run("DELETE FROM snapshots").await;
    assert_eq!(world.process().await.load::<Jar>(jar).await.unwrap().state.notes, [erased(ALICE)]);
    let opened =
        fresh.open(Arc::new(fresh.page(Position::new(0), 1).await.unwrap().remove(0))).await.unwrap();
    assert_eq!(opened.parse::<JarEvent>().unwrap(), JarEvent::NoteLeft { note: erased(ALICE) });
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_told_forgets_an_erased_person_at_once() {
    let world = World::new().await;
    let log = world.process().await;
    let jar = alices_jar(&log).await;
    erase(&world, ALICE).await;
    log.forget_person(ALICE);
    assert_eq!(log.load_cached::<Jar>(jar).await.unwrap().state.notes, [erased(ALICE)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_erased_person_still_sends_is_stored_as_erased() {
    let world = World::new().await;
    let jar = alices_jar(&world.process().await).await;
    erase(&world, ALICE).await;
    let fresh = world.process().await;
    tell(&fresh, jar, JarCommand::Note(ALICE, "too late".to_owned())).await.unwrap();
    assert_eq!(rows_with(&world, "too late").await, 0);
    let loaded = world.process().await.load::<Jar>(jar).await.unwrap();
    assert_eq!(loaded.state.notes, [erased(ALICE), erased(ALICE)]);
    assert_eq!(world.number("SELECT count(*) FROM data_keys WHERE wrapped IS NOT NULL").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_sealed_with_the_key_of_the_person_who_acts() {
    let world = World::new().await;
    let (log, bob) = (world.process().await, clock::new_id());
    // Bob is an admin and does something for Alice.
    let command_id = clock::new_id();
    let context = CommandContext {
        actor: Actor::Admin(bob),
        owner: Some(ALICE),
        ip: Some(ADDRESS.to_owned()),
        ..command(command_id)
    };
    let note = JarCommand::Note(ALICE, WORDS.to_owned());
    log.unit::<Failure>(context).execute::<Jar>(clock::new_id(), [note]).commit().await.unwrap();
    let address: String =
        sqlx::query_scalar("SELECT metadata->>'ip' FROM events").fetch_one(&world.pool).await.unwrap();
    erase(&world, ALICE).await;
    let known = world.process().await.vault().open_text(command_id, 0, &address).await.unwrap();
    assert_eq!(known.as_deref(), Some(ADDRESS), "it does not go with Alice");
    erase(&world, bob).await;
    assert_eq!(world.process().await.vault().open_text(command_id, 0, &address).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn erasing_one_person_leaves_the_words_of_another() {
    let world = World::new().await;
    let log = world.process().await;
    let (jar, bob) = (clock::new_id(), clock::new_id());
    tell(&log, jar, JarCommand::Note(ALICE, WORDS.to_owned())).await.unwrap();
    tell(&log, jar, JarCommand::Note(bob, "butter".to_owned())).await.unwrap();
    erase(&world, ALICE).await;
    let notes = world.process().await.load::<Jar>(jar).await.unwrap().state.notes;
    assert_eq!(notes, [erased(ALICE), known(bob, "butter")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_meet_a_new_person_at_once_agree_on_one_key() {
    let world = World::new().await;
    let (here, there) = (world.process().await, world.process().await);
    for _ in 0..10 {
        let (bob, a, b) = (clock::new_id(), clock::new_id(), clock::new_id());
        let note = || JarCommand::Note(bob, WORDS.to_owned());
        let (one, other) = tokio::join!(tell(&here, a, note()), tell(&there, b, note()));
        one.unwrap();
        other.unwrap();
        let fresh = world.process().await;
        for jar in [a, b] {
            assert_eq!(fresh.load::<Jar>(jar).await.unwrap().state.notes, [known(bob, WORDS)]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_master_key_opens_no_log_and_says_so() {
    let world = World::new().await;
    alices_jar(&world.process().await).await;
    let refused = MasterKey::from_secret(b"another secret").unlock(&world.pool).await.unwrap_err();
    assert!(matches!(refused, LogError::Unreadable { .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fingerprints_tell_bodies_apart_and_cannot_be_guessed_without_the_secret() {
    let world = World::new().await;
    let (log, stranger) = (world.process().await, World::new().await.process().await);
    let print = |log: &EventLog, parts: &[&[u8]]| log.vault().fingerprint(parts);
    assert_eq!(print(&log, &[b"a", b"bc"]), print(&world.process().await, &[b"a", b"bc"]));
    assert_ne!(print(&log, &[b"a", b"bc"]), print(&log, &[b"ab", b"c"]));
    assert_ne!(print(&log, &[b"a"]), print(&stranger, &[b"a"]));
    let id = clock::new_id();
    let context = CommandContext { fingerprint: print(&log, &[WORDS.as_bytes()]), ..command(id) };
    let unit = log.unit::<Failure>(context).execute::<Jar>(clock::new_id(), [JarCommand::Put(1)]);
    unit.commit().await.unwrap();
    assert_eq!(rows_with(&world, WORDS).await, 0);
}

/// Somebody who holds the log's own key, or a fault of the program, moves a box.
#[tokio::test(flavor = "multi_thread")]
async fn a_box_opens_at_its_place_only_and_words_that_nobody_sealed_are_refused() {
    let world = World::new().await;
    let log = world.process().await;
    let (jar, bob) = (clock::new_id(), clock::new_id());
    tell(&log, jar, JarCommand::Note(ALICE, WORDS.to_owned())).await.unwrap();
    tell(&log, jar, JarCommand::Note(ALICE, "butter".to_owned())).await.unwrap();
    tell(&log, jar, JarCommand::Note(bob, "tea".to_owned())).await.unwrap();
    let moved = [
        "UPDATE events SET payload = (SELECT payload FROM events WHERE sequence = 1) WHERE sequence = 2",
        "UPDATE events SET payload = (SELECT payload FROM events WHERE sequence = 3) WHERE sequence = 2",
        "UPDATE events SET payload = (SELECT payload FROM events WHERE sequence = 3), \
             owner_id = (SELECT owner_id FROM events WHERE sequence = 3) WHERE sequence = 2",
        "UPDATE events SET payload = replace(payload::text, '$sealed', '$personal')::json WHERE sequence = 2",
    ];
    world.run("CREATE TABLE kept AS TABLE events").await;
    world.run("ALTER TABLE events DISABLE TRIGGER USER").await;
    for change in moved {
        world.run(change).await;
        world.authenticate().await;
        let refused = world.process().await.load::<Jar>(jar).await.unwrap_err();
        assert!(matches!(refused, LogError::Unreadable { .. }), "{change}: {refused}");
        world.run("DELETE FROM events").await;
        world.run("INSERT INTO events SELECT * FROM kept").await;
        assert_eq!(world.process().await.load::<Jar>(jar).await.unwrap().state.notes.len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_opens_for_its_person_and_its_key_only_and_is_unreadable_behind_an_erasure() {
    let world = World::new().await;
    let log = world.process().await;
    let (bob, key) = (clock::new_id(), "people/alice/face.png");
    let seal = async |owner, key, words: &str| {
        log.vault().seal_object(owner, key, words.as_bytes()).await.unwrap().unwrap()
    };
    let sealed = seal(Some(ALICE), key, WORDS).await;
    assert_eq!(sealed[..2], [1, 1]);
    assert_eq!(seal(Some(ALICE), key, WORDS).await, sealed, "the same object is the same bytes");
    assert_ne!(seal(Some(ALICE), key, "butter").await[..26], sealed[..26], "another one has another nonce");
    let open = async |log: &EventLog, owner, key, sealed: &[u8]| {
        log.vault().open_object(owner, key, sealed).await.map(|plain| plain.map(String::from_utf8))
    };
    let other = world.process().await;
    assert_eq!(open(&other, Some(ALICE), key, &sealed).await.unwrap(), Some(Ok(WORDS.to_owned())));
    seal(Some(bob), key, WORDS).await;
    for (owner, key) in [(Some(bob), key), (None, key), (Some(ALICE), "people/alice/logo.png")] {
        let refused = open(&other, owner, key, &sealed).await.unwrap_err();
        assert!(matches!(refused, LogError::Unreadable { .. }), "{refused}");
    }
    let house = seal(None, "house/sunset.png", WORDS).await;
    erase(&world, ALICE).await;
    let after = world.process().await;
    assert_eq!(open(&after, Some(ALICE), key, &sealed).await.unwrap(), None);
    assert_eq!(open(&after, None, "house/sunset.png", &house).await.unwrap(), Some(Ok(WORDS.to_owned())));
}
