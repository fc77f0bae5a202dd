//! What Routix is measured beside: prepared single INSERTs, and cqrs-es with postgres-es as their documentation
//! shows them.

use std::sync::Arc;

use domain::conversation::Conversation;
use event_log::{RecordedEvent, clock};
use postgres_es::{PostgresCqrs, postgres_cqrs};
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::drive::{Measured, drive};
use crate::writers::{start_command, writer_id};

/// The table `events` again, with the same columns and indexes. Its positions come from a sequence.
const TABLE: &str = "
    CREATE SEQUENCE peer_position;
    CREATE TABLE peer_events (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
    ALTER TABLE peer_events ADD PRIMARY KEY (position);
    ALTER TABLE peer_events ADD UNIQUE (aggregate_type, aggregate_id, sequence);
    CREATE INDEX ON peer_events (owner_id, position);";

const INSERT: &str = "INSERT INTO peer_events (position, aggregate_type, aggregate_id, sequence, event_type, \
     event_version, payload, metadata, event_id, owner_id, recorded_at, chain) \
     VALUES (nextval('peer_position'), $1, $2, $3, $4, $5, $6::json, $7::json, $8, $9, clock_timestamp(), $10)";

/// One connection per writer, each with its prepared INSERT.
pub struct RawInserts {
    connections: Vec<Arc<Mutex<PgConnection>>>,
    like: Arc<RecordedEvent>,
}

impl RawInserts {
    /// Makes the peer's table.
    pub async fn prepare(url: &str) {
        PgConnection::connect(url).await.unwrap().execute(TABLE).await.unwrap();
    }

    /// Writers of rows that equal `like`, each to a stream of its own.
    pub async fn connect(url: &str, writers: usize, like: RecordedEvent) -> Self {
        let mut connections = Vec::new();
        for _ in 0..writers {
            connections.push(Arc::new(Mutex::new(PgConnection::connect(url).await.unwrap())));
        }
        Self { connections, like: Arc::new(like) }
    }

    pub async fn measure(&self, seconds: f64) -> Measured {
        drive(self.connections.len(), seconds, |index| {
            let (connection, like) = (Arc::clone(&self.connections[index]), Arc::clone(&self.like));
            move || {
                let (connection, like) = (Arc::clone(&connection), Arc::clone(&like));
                async move { insert(&mut *connection.lock().await, &like).await }
            }
        })
        .await
    }
}

async fn insert(connection: &mut PgConnection, like: &RecordedEvent) {
    sqlx::query(INSERT)
        .bind(&like.aggregate_type)
        .bind(clock::new_id().to_string())
        .bind(1_i64)
        .bind(&like.event_type)
        .bind(&like.event_version)
        .bind(&like.payload)
        .bind(&like.metadata)
        .bind(clock::new_id())
        .bind(like.owner_id)
        .bind(&like.chain)
        .execute(connection)
        .await
        .unwrap();
}

/// The same aggregate on cqrs-es with postgres-es.
#[derive(Clone)]
pub struct CqrsEs(Arc<PostgresCqrs<Conversation>>);

/// As postgres-es ships it, without what is only for its tests.
const CQRS_TABLE: &str = "
    CREATE TABLE events (
        aggregate_type text NOT NULL,
        aggregate_id text NOT NULL,
        sequence bigint CHECK (sequence >= 0) NOT NULL,
        event_type text NOT NULL,
        event_version text NOT NULL,
        payload json NOT NULL,
        metadata json NOT NULL,
        PRIMARY KEY (aggregate_type, aggregate_id, sequence));";

impl CqrsEs {
    /// On an empty database, with the pool that postgres-es proposes.
    pub async fn connect(url: &str) -> Self {
        let pool: PgPool = postgres_es::default_postgress_pool(url).await;
        pool.execute(CQRS_TABLE).await.unwrap();
        Self(Arc::new(postgres_cqrs(pool, vec![], ())))
    }

    pub async fn measure(&self, writers: usize, seconds: f64) -> Measured {
        drive(writers, seconds, |index| {
            let (peer, owner) = (self.clone(), writer_id(index));
            move || {
                let peer = peer.clone();
                async move {
                    let id = clock::new_id();
                    peer.0.execute(&id.to_string(), start_command(id, owner)).await.unwrap();
                }
            }
        })
        .await
    }

    /// Commands to one aggregate: a conflict is an error that the caller has to deal with. Counts both.
    pub async fn say(&self, id: Uuid, command: domain::conversation::ConversationCommand) -> bool {
        self.0.execute(&id.to_string(), command).await.is_ok()
    }
}
