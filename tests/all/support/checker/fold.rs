//! The fold of the log, written a second time and as plainly as possible, to compare the read models with.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde_json::Value;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use super::stored::Stored;

fn id(value: &Value) -> Uuid {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} is not an id"))
}

fn maybe_id(value: &Value) -> Option<Uuid> {
    (!value.is_null()).then(|| id(value))
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is not a number"))
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text")).to_owned()
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Account {
    available: i64,
    held: i64,
    settled: i64,
    expired: i64,
    withdrawn: i64,
    granted: i64,
    holds: BTreeMap<Uuid, i64>,
    ended: BTreeMap<Uuid, &'static str>,
}

#[derive(Debug, Clone, PartialEq, PartialOrd, FromRow)]
struct Transaction {
    position: i64,
    user_id: Uuid,
    transaction_type: String,
    amount: i64,
    balance_after: i64,
    generation_request_id: Option<Uuid>,
}

fn ledgers(log: &[Stored]) -> (BTreeMap<Uuid, Account>, Vec<Transaction>) {
    let mut accounts: BTreeMap<Uuid, Account> = BTreeMap::new();
    let mut lines = Vec::new();
    for event in log.iter().filter(|event| event.aggregate == "credit_ledger") {
        let fields = &event.payload;
        let user_id = id(&fields["user_id"]);
        let (amount, after) = (number(&fields["amount"]), number(&fields["balance_after"]));
        let request = maybe_id(&fields["request_id"]);
        let account = accounts.entry(user_id).or_default();
        let (kind, change) = match event.event.as_str() {
            "CreditsGranted" => {
                account.granted += amount;
                let kind = match word(&fields["reason"]).as_str() {
                    "adjustment" => "adjust",
                    "refund" => "refund",
                    _ => "grant",
                };
                (kind, amount)
            }
            "CreditsHeld" => {
                let before = account.holds.insert(request.unwrap(), amount);
                assert!(
                    before.is_none() && !account.ended.contains_key(&request.unwrap()),
                    "invariant 9: held once"
                );
                account.held += amount;
                ("hold", -amount)
            }
            "HoldSettled" | "HoldReleased" => {
                let request = request.unwrap();
                assert_eq!(account.holds.remove(&request), Some(amount), "invariant 9: what ends was held");
                let settled = event.event == "HoldSettled";
                account.held -= amount;
                account.settled += if settled { amount } else { 0 };
                let how = if settled { "settle" } else { "release" };
                assert!(account.ended.insert(request, how).is_none(), "invariant 9: a hold ends once");
                (how, if settled { 0 } else { amount })
            }
            "CreditsExpired" => {
                account.expired += amount;
                ("expire", -amount)
            }
            "CreditsWithdrawn" => {
                account.withdrawn += amount;
                ("adjust", -amount)
            }
            other => panic!("unknown ledger event {other}"),
        };
        account.available += change;
        assert_eq!(
            account.available, after,
            "invariant 9: balance_after follows from the line before, at {}",
            event.position
        );
        lines.push(Transaction {
            position: event.position,
            user_id,
            transaction_type: kind.to_owned(),
            amount: change,
            balance_after: after,
            generation_request_id: request,
        });
    }
    (accounts, lines)
}

/// granted - withdrawn = available + held + settled + expired, and no ended request is still held.
pub fn ledgers_add_up(log: &[Stored]) {
    let (accounts, _) = ledgers(log);
    let mut outcomes: BTreeMap<Uuid, &str> = BTreeMap::new();
    for event in log.iter().filter(|event| event.aggregate == "generation_request") {
        let how = match event.event.as_str() {
            "GenerationCompleted" => "settle",
            "GenerationFailed" | "GenerationCancelled" => "release",
            _ => continue,
        };
        assert!(
            outcomes.insert(event.id.parse().unwrap(), how).is_none(),
            "invariant 9: a request ends once"
        );
    }
    let mut ended = BTreeMap::new();
    for (user, account) in accounts {
        let granted = account.granted - account.withdrawn;
        let spent = account.available + account.held + account.settled + account.expired;
        assert_eq!(granted, spent, "invariant 9: the ledger of {user} adds up: {account:?}");
        assert!(account.available >= 0 && account.held >= 0, "invariant 9: {user} owes nothing");
        ended.extend(account.ended);
    }
    assert_eq!(ended, outcomes, "invariant 9: every ended request was settled or released as it ended");
}

fn compare<T: PartialEq + Debug>(what: &str, table: &[T], folded: &[T]) {
    for (row, expected) in table.iter().zip(folded) {
        assert_eq!(row, expected, "invariant 5: a row of {what}");
    }
    assert_eq!(table.len(), folded.len(), "invariant 5: rows of {what}");
}

#[derive(Debug, PartialEq, PartialOrd, FromRow)]
struct Message {
    position: i64,
    conversation_id: Uuid,
    id: Uuid,
    user_id: Uuid,
    role: String,
    r#type: String,
}

#[derive(Debug, PartialEq, FromRow)]
struct Generation {
    id: Uuid,
    user_id: Uuid,
    status: String,
    progress: i16,
    credit_cost: i64,
    image_key: Option<String>,
    selected_template_id: Option<Uuid>,
    attempts: i32,
}

/// Every read model equals the fold of all events.
pub async fn read_models_equal_the_fold(pool: &PgPool, log: &[Stored]) {
    let (accounts, lines) = ledgers(log);
    let table: Vec<Transaction> = sqlx::query_as(
        "SELECT position, user_id, transaction_type, amount, balance_after, generation_request_id \
         FROM credit_transactions ORDER BY position",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    compare("credit_transactions", &table, &lines);
    let table: Vec<(Uuid, i64, i64)> =
        sqlx::query_as("SELECT user_id, available, held FROM credit_balances ORDER BY user_id")
            .fetch_all(pool)
            .await
            .unwrap();
    let folded: Vec<_> = accounts.iter().map(|(user, a)| (*user, a.available, a.held)).collect();
    compare("credit_balances", &table, &folded);
    messages(pool, log).await;
    generations(pool, log).await;
    history(pool, log).await;
    let ids = [
        ("users", "user", "UserRegistered"),
        ("sessions", "session", "SessionStarted"),
        ("conversations", "conversation", "ConversationStarted"),
        ("templates", "template", "TemplateUploaded"),
        ("generation_algorithms", "algorithm", "AlgorithmDefined"),
        ("user_assets", "asset", "AssetUploaded"),
    ];
    for (table, aggregate, first) in ids {
        same_ids(pool, log, table, (aggregate, first)).await;
    }
    let analyzed: Vec<Uuid> =
        sqlx::query_scalar("SELECT id FROM templates WHERE status = 'analyzed' ORDER BY id")
            .fetch_all(pool)
            .await
            .unwrap();
    compare("analysed templates", &analyzed, &ids_of(log, "TemplateAnalyzed"));
    let archived: Vec<Uuid> =
        sqlx::query_scalar("SELECT id FROM conversations WHERE archived_at IS NOT NULL ORDER BY id")
            .fetch_all(pool)
            .await
            .unwrap();
    compare("archived conversations", &archived, &ids_of(log, "ConversationArchived"));
}

fn ids_of(log: &[Stored], event: &str) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> =
        log.iter().filter(|stored| stored.event == event).map(|stored| stored.id.parse().unwrap()).collect();
    ids.sort();
    ids.dedup();
    ids
}

async fn same_ids(pool: &PgPool, log: &[Stored], table: &str, (aggregate, first): (&str, &str)) {
    let rows: Vec<Uuid> =
        sqlx::query_scalar(&format!("SELECT id FROM {table} ORDER BY id")).fetch_all(pool).await.unwrap();
    let folded = ids_of(log, first);
    compare(table, &rows, &folded);
    let streams = log.iter().filter(|event| event.aggregate == aggregate && event.sequence == 1).count();
    assert_eq!(streams, folded.len(), "invariant 5: every stream of {aggregate} begins with {first}");
}

async fn messages(pool: &PgPool, log: &[Stored]) {
    let mut owners: BTreeMap<String, Uuid> = BTreeMap::new();
    let mut folded = Vec::new();
    for event in log.iter().filter(|event| event.aggregate == "conversation") {
        match event.event.as_str() {
            "ConversationStarted" => {
                owners.insert(event.id.clone(), id(&event.payload["owner"]));
            }
            "MessagePosted" => folded.push(Message {
                position: event.position,
                conversation_id: event.id.parse().unwrap(),
                id: id(&event.payload["message_id"]),
                user_id: owners[&event.id],
                role: word(&event.payload["role"]),
                r#type: word(&event.payload["body"]["kind"]),
            }),
            _ => {}
        }
    }
    let table: Vec<Message> = sqlx::query_as(
        "SELECT position, conversation_id, id, user_id, role, type FROM messages ORDER BY position",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    compare("messages", &table, &folded);
}

async fn generations(pool: &PgPool, log: &[Stored]) {
    let mut folded: BTreeMap<Uuid, Generation> = BTreeMap::new();
    for event in log.iter().filter(|event| event.aggregate == "generation_request") {
        let fields = &event.payload;
        let request: Uuid = event.id.parse().unwrap();
        if event.event == "GenerationRequested" {
            let row = Generation {
                id: request,
                user_id: id(&fields["job"]["user_id"]),
                status: "pending".to_owned(),
                progress: 0,
                credit_cost: number(&fields["job"]["credit_cost"]),
                image_key: None,
                selected_template_id: None,
                attempts: 0,
            };
            folded.insert(request, row);
            continue;
        }
        let row = folded.get_mut(&request).expect("a request begins with GenerationRequested");
        let (status, progress) = match event.event.as_str() {
            "AnalysisStarted" => ("analyzing", 10),
            "IntentAnalyzed" => ("searching", 30),
            "TemplatesMatched" => ("composing", 50),
            "AttemptStarted" => {
                row.attempts += 1;
                ("generating", 70)
            }
            "GenerationCompleted" => {
                row.image_key = Some(word(&fields["image"]["key"]));
                row.selected_template_id = maybe_id(&fields["selected_template"]);
                ("completed", 100)
            }
            "GenerationFailed" => ("failed", row.progress),
            "GenerationCancelled" => ("cancelled", row.progress),
            _ => continue,
        };
        assert!(progress >= row.progress, "invariant 5: progress never falls");
        (row.status, row.progress) = (status.to_owned(), progress);
    }
    let table: Vec<Generation> = sqlx::query_as(
        "SELECT id, user_id, status, progress, credit_cost, image_key, selected_template_id, attempts \
         FROM generation_requests ORDER BY id",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    compare("generation_requests", &table, &folded.into_values().collect::<Vec<_>>());
}

#[derive(Debug, PartialEq, FromRow)]
struct Past {
    position: i64,
    event_id: Uuid,
    aggregate_type: String,
    aggregate_id: String,
    sequence: i64,
    event_type: String,
    owner_id: Option<Uuid>,
    actor: String,
    command_id: Option<Uuid>,
    correlation_id: Option<Uuid>,
    causation_id: Option<Uuid>,
    recorded_us: i64,
}

/// The history has every event of the log, whatever aggregate it is of.
async fn history(pool: &PgPool, log: &[Stored]) {
    let folded: Vec<Past> = log
        .iter()
        .map(|event| Past {
            position: event.position,
            event_id: event.event_id,
            aggregate_type: event.aggregate.clone(),
            aggregate_id: event.id.clone(),
            sequence: event.sequence,
            event_type: event.event.clone(),
            owner_id: event.owner,
            actor: word(&event.metadata["actor"]),
            command_id: maybe_id(&event.metadata["command_id"]),
            correlation_id: maybe_id(&event.metadata["correlation_id"]),
            causation_id: maybe_id(&event.metadata["causation_id"]),
            recorded_us: event.recorded_us,
        })
        .collect();
    let table: Vec<Past> = sqlx::query_as(
        "SELECT position, event_id, aggregate_type, aggregate_id, sequence, event_type, owner_id, actor, \
                command_id, correlation_id, causation_id, \
                (extract(epoch FROM recorded_at) * 1000000)::bigint AS recorded_us \
         FROM history ORDER BY position",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    compare("history", &table, &folded);
}
