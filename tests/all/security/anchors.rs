//! Whoever owns the database and the stream writes the log anew, with a chain that is whole.

use std::path::Path;
use std::process::Output;

use event_log::{LogReader, Position, chain_of};
use sqlx::PgPool;
use tempfile::TempDir;

use crate::support::checker::jetstream;
use crate::support::client::Client;
use crate::support::eventually;
use crate::support::world::World;

const DUMP: &str = "SELECT json_build_object( \
    'position', position, 'aggregate_type', aggregate_type, 'aggregate_id', aggregate_id, 'sequence', sequence, \
    'event_type', event_type, 'event_version', event_version, 'event_id', event_id, 'payload', payload::text, \
    'metadata', metadata::text, 'owner_id', owner_id, 'chain', encode(chain, 'hex'), \
    'recorded_us', (extract(epoch FROM recorded_at) * 1000000)::bigint)::text FROM events ORDER BY position";

/// A log with anchors, the last of them at its end, and the public key beside it.
struct Anchored {
    world: World,
    user: Client,
    folder: TempDir,
    key: TempDir,
}

impl Anchored {
    async fn start() -> Self {
        let (folder, key) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = folder.path().to_str().unwrap().to_owned();
        let settings = [("ROUTIX_ANCHORS", path.as_str()), ("ROUTIX_ANCHOR_SECONDS", "1")];
        let world = World::with(&settings, &["all"]).await;
        let user = world.user().await;
        let order = user.order("a castle by the sea").await.expect(201);
        user.finished(order["id"].as_str().unwrap()).await;
        world.check(&[]).await;
        let (done, printed) = world.routix(&["log", "public-key"]).await;
        assert!(done, "{printed}");
        std::fs::write(key.path().join("key"), &printed).unwrap();
        let mut anchored = Self { world, user, folder, key };
        anchored.is_anchored().await;
        anchored.world.workers.clear();
        anchored
    }

    /// Waits for the anchor at the end of the log.
    async fn is_anchored(&self) {
        let head = self.world.head().await;
        eventually("the end of the log is anchored", || async {
            let newest = std::fs::read(self.folder.path().join("newest.anchor")).ok()?;
            (i64::from_be_bytes(newest[18..26].try_into().unwrap()) == head).then_some(())
        })
        .await;
    }

    /// `routix log verify` of somebody who has neither the secret key nor a stream, and the check in Python.
    async fn verified(&self) -> [(bool, String); 2] {
        let key = self.key.path().join("key");
        let arguments = ["log", "verify", "--public-key", key.to_str().unwrap()];
        let mut verify = self.world.surroundings.command(&arguments);
        let by_us =
            text(verify.env_remove("ROUTIX_SECRET_KEY").env_remove("NATS_URL").output().await.unwrap());
        let dump: Vec<String> = sqlx::query_scalar(DUMP).fetch_all(&self.world.pool).await.unwrap();
        let log = self.key.path().join("log.ndjson");
        std::fs::write(&log, dump.join("\n")).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/verify.py");
        let python = tokio::process::Command::new("python3")
            .args([script.as_path(), &log, self.folder.path(), &key])
            .output();
        [by_us, text(python.await.unwrap())]
    }

    async fn assert_is_found(&self, what: &str) {
        for (holds, printed) in self.verified().await {
            assert!(!holds && printed.contains("FAULT"), "{what}: {printed}");
        }
        eventually("the service says so", || async {
            (self.user.get("/health").await.status == 503).then_some(())
        })
        .await;
    }
}

fn text(output: Output) -> (bool, String) {
    let Output { status, stdout, stderr } = output;
    (status.success(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

/// Writes the log anew, with `words` in place of others.
async fn write_anew(pool: &PgPool, (words, others): (&str, &str)) {
    let mut chain = vec![0; 32];
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("ALTER TABLE events DISABLE TRIGGER USER").execute(&mut *tx).await.unwrap();
    for mut event in LogReader::new(pool.clone()).page(Position::ZERO, 10_000).await.unwrap() {
        event.payload = event.payload.replace(words, others);
        event.chain = chain_of(&chain, &event).to_vec();
        chain.clone_from(&event.chain);
        sqlx::query("UPDATE events SET payload = $2::json, chain = $3 WHERE position = $1")
            .bind(event.position)
            .bind(&event.payload)
            .bind(&event.chain)
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}

async fn delete_stream(world: &World) {
    jetstream(&world.surroundings.nats_url).await.delete_stream("ROUTIX_EVENTS").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_written_anew_is_found_by_its_anchors_though_the_stream_is_gone() {
    let anchored = Anchored::start().await;
    for (holds, printed) in anchored.verified().await {
        assert!(holds && printed.contains("hold"), "{printed}");
    }
    delete_stream(&anchored.world).await;
    write_anew(&anchored.world.pool, ("\"amount\":25", "\"amount\":9999")).await;
    anchored.assert_is_found("written anew").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_cut_off_is_found_by_its_anchors_though_the_stream_is_gone() {
    let anchored = Anchored::start().await;
    delete_stream(&anchored.world).await;
    let mut cut = anchored.world.pool.begin().await.unwrap();
    for statement in [
        "ALTER TABLE events DISABLE TRIGGER USER",
        "DELETE FROM events WHERE position > (SELECT max(position) - 2 FROM events)",
        "ALTER TABLE events ENABLE TRIGGER USER",
    ] {
        sqlx::query(statement).execute(&mut *cut).await.unwrap();
    }
    cut.commit().await.unwrap();
    anchored.assert_is_found("cut off").await;
}
