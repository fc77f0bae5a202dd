//! Shuts the log while it is behind what was published of it: no position is used a second time.
//!
//! The log is compared before the first append, on every new connection of the appender, and once a second
//! beside it, so that a witness that was away is heard as soon as it is back. Besides the witness the process
//! itself remembers the last event that it saw committed. The gate opens again by itself once the log holds
//! what was lost, or has become another log.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tokio::sync::watch;
use uuid::Uuid;

use crate::cache::StateCache;
use crate::rewound::Rewound;
use crate::witness::{Held, Witness, WitnessAway};
use crate::{Authenticator, LogError, Position};

/// The log is compared so often while nothing gives reason to.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// An append waits so long for a witness that does not answer.
const WITNESS_PATIENCE: Duration = Duration::from_secs(2);

/// The result of the last comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was compared yet.
    Unchecked,
    /// The log holds everything that was published of it.
    Sound,
    /// The witness could not be asked. Appends go on; it is asked again.
    WitnessAway,
    /// The log is behind or different: nothing is appended.
    Rewound(Rewound),
}

/// The last event that this process saw committed, and in which log.
#[derive(Debug, Clone, Copy)]
struct Known {
    log_id: Uuid,
    position: Position,
    event_id: Uuid,
}

struct Found {
    log_id: Uuid,
    floor_position: Position,
    head: Position,
    head_event: Option<Uuid>,
    held_event: Option<Uuid>,
    held_chain: Option<Vec<u8>>,
    known_event: Option<Uuid>,
}

pub(crate) struct Guard {
    witness: OnceLock<Arc<dyn Witness>>,
    standing: watch::Sender<Standing>,
    known: Mutex<Option<Known>>,
    cache: StateCache,
    authenticator: Authenticator,
}

impl Guard {
    pub(crate) fn new(cache: StateCache, authenticator: Authenticator) -> Self {
        Self {
            witness: OnceLock::new(),
            standing: watch::Sender::new(Standing::Unchecked),
            known: Mutex::default(),
            cache,
            authenticator,
        }
    }

    /// Asks `witness` from now on. The first one stays.
    pub(crate) fn set_witness(self: &Arc<Self>, witness: Arc<dyn Witness>, pool: PgPool) {
        if self.witness.set(witness).is_ok() {
            tokio::spawn(look_again_and_again(Arc::downgrade(self), pool));
        }
    }

    pub(crate) fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Why nothing may be appended now.
    pub(crate) fn shut(&self) -> Option<Rewound> {
        match *self.standing.borrow() {
            Standing::Rewound(rewound) => Some(rewound),
            Standing::Unchecked | Standing::Sound | Standing::WitnessAway => None,
        }
    }

    /// Remembers what the database said was committed.
    pub(crate) fn committed(&self, position: Position, event_id: Uuid) {
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
            && position > known.position
        {
            (known.position, known.event_id) = (position, event_id);
        }
    }

    /// Compares the log, as a new connection sees it, before anything is appended over it.
    ///
    /// # Errors
    /// When the comparison failed, or the gate is shut.
    pub(crate) async fn check(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        // The witness first: the log only grows meanwhile, so a sound one is never found behind.
        let held = self.ask(connection).await?;
        match self.compare(connection, held).await? {
            Standing::Rewound(rewound) => Err(sqlx::Error::Protocol(rewound.to_string())),
            Standing::Unchecked | Standing::Sound | Standing::WitnessAway => Ok(()),
        }
    }

    async fn look(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let held = self.ask(&mut *pool.acquire().await?).await?;
        self.compare(&mut *pool.acquire().await?, held).await.map(drop)
    }

    async fn ask(
        &self,
        connection: &mut PgConnection,
    ) -> Result<Result<Option<Held>, WitnessAway>, sqlx::Error> {
        let Some(witness) = self.witness.get() else { return Ok(Ok(None)) };
        let log_id = sqlx::query_scalar!(r#"SELECT log_id FROM log_identity"#).fetch_one(connection).await?;
        let provenance = self.authenticator.of_log(log_id);
        let silent = |_| WitnessAway { reason: "it does not answer".to_owned() };
        let asked = tokio::time::timeout(WITNESS_PATIENCE, witness.last(&provenance)).await;
        Ok(asked.map_err(silent).flatten())
    }

    async fn compare(
        &self,
        connection: &mut PgConnection,
        held: Result<Option<Held>, WitnessAway>,
    ) -> Result<Standing, sqlx::Error> {
        let known = *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let away = held.is_err();
        let held = held.ok().flatten();
        let found =
            find(connection, held.as_ref().map(|held| held.position), known.map(|k| k.position)).await?;
        let rewound = held
            .as_ref()
            .and_then(|held| contradicts(held, &found))
            .or_else(|| known.and_then(|known| forgets(known, &found)));
        let standing = match rewound {
            Some(rewound) => Standing::Rewound(rewound),
            None if away => Standing::WitnessAway,
            None => Standing::Sound,
        };
        if rewound.is_none() {
            self.saw(&found);
        }
        // It may have become another log between two looks, so that nobody saw it rewound: what was read of
        // the old one is worth nothing, and a refusal on it would be repeated for ever.
        if known.is_some_and(|known| known.log_id != found.log_id) {
            self.cache.clear();
        }
        self.turn(standing);
        Ok(standing)
    }

    /// Remembers the end of the log. Another log has nothing to do with what was known of the old one.
    fn saw(&self, found: &Found) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = known.is_none_or(|old| old.log_id != found.log_id || old.position < found.head);
        if newer {
            let event_id = found.head_event.unwrap_or_default();
            *known = Some(Known { log_id: found.log_id, position: found.head, event_id });
        }
    }

    fn turn(&self, standing: Standing) {
        let before = self.standing.send_replace(standing);
        match (before, standing) {
            (Standing::Rewound(_), Standing::Rewound(_)) => {}
            (_, Standing::Rewound(rewound)) => {
                self.cache.clear();
                tracing::error!(%rewound, "nothing is appended until the operator decides: routix log recover");
            }
            (Standing::Rewound(_), _) => {
                self.cache.clear();
                tracing::info!("the log holds what was published of it again: appends go on");
            }
            _ => {}
        }
    }
}

async fn look_again_and_again(guard: Weak<Guard>, pool: PgPool) {
    loop {
        {
            let Some(guard) = guard.upgrade() else { return };
            if let Err(error) = guard.look(&pool).await {
                tracing::debug!(%error, "the log could not be compared");
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Compares the log with what a witness holds.
pub(crate) async fn compare(pool: &PgPool, held: &Held) -> Result<Option<Rewound>, LogError> {
    let found = find(&mut *pool.acquire().await?, Some(held.position), None).await?;
    Ok(contradicts(held, &found))
}

async fn find(
    connection: &mut PgConnection,
    held: Option<Position>,
    known: Option<Position>,
) -> Result<Found, sqlx::Error> {
    sqlx::query_as!(
        Found,
        r#"
        SELECT
            i.log_id,
            i.floor_position AS "floor_position: Position",
            coalesce(h.position, i.floor_position) AS "head!: Position",
            h.event_id AS "head_event?",
            w.event_id AS "held_event?",
            w.chain AS "held_chain?",
            k.event_id AS "known_event?"
        FROM log_identity AS i
        LEFT JOIN LATERAL (SELECT position, event_id FROM events ORDER BY position DESC LIMIT 1) AS h ON true
        LEFT JOIN events AS w ON w.position = $1
        LEFT JOIN events AS k ON k.position = $2
        "#,
        held as _,
        known as _
    )
    .fetch_one(connection)
    .await
}

fn contradicts(held: &Held, found: &Found) -> Option<Rewound> {
    let is_same = match &held.event {
        // What was archived below the floor can no longer be compared.
        Some(_) if held.position <= found.floor_position => true,
        Some((event_id, chain)) => {
            found.held_event == Some(*event_id) && found.held_chain.as_ref() == Some(chain)
        }
        None => true,
    };
    let sound = held.position <= found.head && is_same && held.log_id.is_none_or(|id| id == found.log_id);
    (!sound).then_some(Rewound { stream: held.position, log: found.head })
}

fn forgets(known: Known, found: &Found) -> Option<Rewound> {
    let holds = known.log_id != found.log_id
        || known.position <= found.floor_position
        || found.known_event == Some(known.event_id);
    (!holds).then_some(Rewound { stream: known.position, log: found.head })
}
