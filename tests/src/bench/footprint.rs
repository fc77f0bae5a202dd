//! The case `footprint`: how many bytes of the database a message costs, and a generation, once everything that has an end
//! is past it. Chats are driven on the real service with all roles; then receipts and finished work go as after a month,
//! and what is left is measured, table by table and index by index.
//!
//! A plain VACUUM gives the end of a table back, but never pages of an index. Those of receipts and work stand empty for the
//! next ones; they are counted.

use std::time::Duration;

use event_log::expired::{self, SweepLimits};
use event_log::{RECEIPT_DAYS, clock};
use futures::future::join_all;
use hyper::Method;
use serde_json::json;
use sqlx::PgPool;

use crate::effort::Effort;
use crate::report::Report;
use crate::service::{Connection, Process};
use crate::stack::Stack;

const CHATS: usize = 32;
/// Messages of each chat, for each second of effort.
const MESSAGES_PER_SECOND: u64 = 40;
const GENERATIONS_PER_CHAT: usize = 2;
const TEXT: &str = "Create a gaming thumbnail with explosions and a big yellow title, please";

/// The bytes of a table without its indexes, or of an index.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
struct Relation {
    name: String,
    bytes: i64,
}

pub async fn run(effort: &Effort) -> Report {
    let mut report = Report::new("footprint");
    let stack = Stack::with_nats().await;
    let url = stack.migrated().await;
    let pool = PgPool::connect(&url).await.unwrap();
    let server = Process::routix(&stack, &url, &["serve", "--signup-credits", "1000000"]).await;
    let _work = Process::routix(&stack, &url, &["work"]).await;
    let mut chats = Vec::new();
    for _ in 0..CHATS {
        let user = Connection::of_new_user(&server.address).await;
        let chat = user.start_chat().await;
        chats.push((user, chat));
    }
    let empty = cleaned(&pool).await;
    let seconds = Duration::from_secs_f64(effort.seconds).as_secs().max(1);
    let each = usize::try_from(seconds * MESSAGES_PER_SECOND).unwrap();
    post(&chats, each).await;
    let talked = cleaned(&pool).await;
    let messages = CHATS * each;
    let params = json!({ "messages": messages, "answers": "on" });
    tell(&mut report, &empty, &talked, messages, "bytes a user message", params);
    // A wish is answered by two messages.
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM messages").fetch_one(&pool).await.unwrap();
    let grown = bytes_of(&talked) - bytes_of(&empty);
    report.figure("bytes a stored message", grown / float(stored), "B", json!({ "messages": stored }));
    order(&chats).await;
    let drawn = cleaned(&pool).await;
    let generations = CHATS * GENERATIONS_PER_CHAT;
    tell(
        &mut report,
        &talked,
        &drawn,
        generations,
        "bytes a generation",
        json!({ "generations": generations }),
    );
    report
}

fn bytes_of(relations: &[Relation]) -> f64 {
    float(relations.iter().map(|relation| relation.bytes).sum())
}

#[allow(clippy::cast_precision_loss, reason = "counts and sizes stay far below 2^52")]
fn float(count: i64) -> f64 {
    count as f64
}

/// Tells what was added per piece, in all and by table, the largest first.
fn tell(
    report: &mut Report,
    before: &[Relation],
    after: &[Relation],
    pieces: usize,
    metric: &'static str,
    params: serde_json::Value,
) {
    let grown = |table: &Relation| {
        let before = before.iter().find(|known| known.name == table.name).map_or(0, |known| known.bytes);
        float(table.bytes - before) / float(i64::try_from(pieces).unwrap())
    };
    let mut tables: Vec<(&str, f64)> =
        after.iter().map(|table| (table.name.as_str(), grown(table))).collect();
    tables.sort_by(|one, other| other.1.total_cmp(&one.1));
    report.figure(metric, tables.iter().map(|(_, bytes)| bytes).sum(), "B", params);
    for (name, bytes) in tables.into_iter().filter(|(_, bytes)| *bytes >= 5.0) {
        report.figure(metric, bytes, "B", json!({ "of": name }));
    }
}

async fn post(chats: &[(Connection, String)], each: usize) {
    let body = json!({ "type": "text", "content": TEXT });
    let post_all = async |(user, chat): &(Connection, String)| {
        for _ in 0..each {
            user.json(Method::POST, chat, &body).await;
        }
    };
    join_all(chats.iter().map(post_all)).await;
}

async fn order(chats: &[(Connection, String)]) {
    let body = json!({ "prompt": TEXT, "algorithm_id": "routix_lightning" });
    let order_all = async |(user, _): &(Connection, String)| {
        for _ in 0..GENERATIONS_PER_CHAT {
            user.json(Method::POST, "/api/v1/generation/create", &body).await;
        }
    };
    join_all(chats.iter().map(order_all)).await;
}

/// The tables at rest, after everything that has an end is past it.
async fn cleaned(pool: &PgPool) -> Vec<Relation> {
    at_rest(pool).await;
    // Timers are past their end as well: those of requests that have ended change nothing.
    let month = clock::now() + Duration::from_hours(24 * (RECEIPT_DAYS.unsigned_abs() + 1));
    expired::sweep(pool, month, SweepLimits::default()).await.unwrap();
    sqlx::raw_sql("VACUUM (ANALYZE)").execute(pool).await.unwrap();
    sqlx::query_as(
        "SELECT c.relname::text AS name, pg_relation_size(c.oid) + coalesce(pg_total_relation_size(t.oid), 0) AS bytes \
         FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid \
         WHERE c.relkind IN ('r', 'i') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// Waits until no work is open but timers, and the read models have everything.
async fn at_rest(pool: &PgPool) {
    let busy = "SELECT (SELECT count(*) FROM work WHERE done_at IS NULL AND role <> 'timers') \
         + (SELECT count(*) FROM checkpoints WHERE position < (SELECT coalesce(max(position), 0) FROM events))";
    loop {
        let busy: i64 = sqlx::query_scalar(busy).fetch_one(pool).await.unwrap();
        if busy == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
