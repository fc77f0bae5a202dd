//! Rebuilding: beside the live tables, compared with them, swapped while everybody goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::conversation::{Conversation, ConversationCommand};
use domain::{ConversationId, Title, UserId};
use event_log::{EventLog, OpenedEvent, Position};
use nats::Bus;
use projections::conversations::{Conversations, OwnChat, Window, messages};
use projections::runtime::{RebuildError, RebuildOptions, RebuildStep, Rebuilt, parked, rebuild};
use projections::templates::{SearchFilter, SearchQuery, Templates, search};
use projections::work::WorkToDo;
use projections::{ApplyError, Latency, Payloads, PoisonPolicy, Projection, Spec, Wanted};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::examples::{
    a_busy_day, analysis, analyze, at, choose, define_algorithm, register, say, start_chat, tell,
    upload_template,
};
use crate::stack::{Stack, until};

const SAME: RebuildOptions = RebuildOptions { changed: false, page_positions: 500 };
const CHANGED: RebuildOptions = RebuildOptions { changed: true, page_positions: 500 };

async fn run(
    log: &EventLog,
    projection: &dyn Projection,
    options: RebuildOptions,
) -> Result<Rebuilt, RebuildError> {
    rebuild(log, projection, options, &|_| {}).await
}

/// Schemas in which something is being built.
const STAGES: &str = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'rebuild%'";

/// Columns, keys, indexes, triggers, rights and settings of the read models.
const DEFINITIONS: &str = "\
    SELECT concat_ws(' ', table_name, column_name, data_type, column_default, is_nullable, generation_expression) \
    FROM information_schema.columns WHERE table_schema = 'public' \
    UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) \
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace \
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' \
    UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal \
    UNION ALL SELECT concat_ws(' ', relname, relacl, reloptions) \
    FROM pg_class WHERE relnamespace = 'public'::regnamespace \
    ORDER BY 1";

async fn definitions(stack: &Stack) -> Vec<String> {
    sqlx::query_scalar(DEFINITIONS).fetch_all(stack.log.pool()).await.unwrap()
}

async fn rename(log: &EventLog, user: UserId, chat: ConversationId, title: &str) {
    let command = ConversationCommand::Rename { title: Title::parse(title).unwrap(), at: at(40) };
    tell::<Conversation>(log, Some(user), chat.0, [command]).await;
}

async fn archive(log: &EventLog, user: UserId, chat: ConversationId) {
    tell::<Conversation>(log, Some(user), chat.0, [ConversationCommand::Archive { at: at(50) }]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn projecting_twice_equals_projecting_once() {
    let stack = Stack::with_all_workers().await;
    stack.execute("CREATE ROLE analyst; GRANT SELECT ON messages TO analyst").await;
    stack.execute("ALTER TABLE messages SET (fillfactor = 90)").await;
    a_busy_day(&stack.log).await;
    stack.all_caught_up().await;
    stack.execute("UPDATE work SET done_at = '2026-01-02' WHERE role = 'assistant'").await;
    let mut tables: Vec<&str> =
        projections::all().iter().flat_map(|p| p.spec().tables.iter().copied()).collect();
    tables.push("work");
    let mut before = Vec::new();
    for table in &tables {
        let rows = stack.rows(table).await;
        assert_ne!(rows, serde_json::json!([]), "{table} is part of the example");
        before.push(rows);
    }
    let shape = definitions(&stack).await;
    for projection in projections::all() {
        if projection.spec().tables.is_empty() {
            // Its rows stay, and it meets every event a second time.
            let back = format!(
                "UPDATE checkpoints SET position = 0 WHERE projection = '{}'",
                projection.spec().name
            );
            stack.execute(&back).await;
            continue;
        }
        let rebuilt = run(&stack.log, projection.as_ref(), SAME).await.unwrap();
        assert_eq!(rebuilt.position, stack.log.head().await.unwrap());
        assert!(rebuilt.tables.iter().all(|table| table.live.rows > 0 && !table.differs()));
    }
    assert_eq!(definitions(&stack).await, shape, "tables, keys, indexes and triggers are as they were");
    say_something_new(&stack).await;
    for (table, rows) in tables.iter().zip(before) {
        let now = stack.rows(table).await;
        let (now, rows) = (now.as_array().unwrap(), rows.as_array().unwrap());
        assert!(rows.iter().all(|row| now.contains(row)), "{table} differs");
    }
    assert_eq!(stack.count("SELECT count(*) FROM parked_events").await, 0);
    assert_eq!(stack.count(STAGES).await, 0);
}

/// The workers write into the new tables.
async fn say_something_new(stack: &Stack) {
    let cyd = register(&stack.log, "cyd").await;
    let chat = start_chat(&stack.log, cyd, "after the rebuild").await;
    say(&stack.log, cyd, chat, "still there?").await;
    stack.all_caught_up().await;
    let found = format!("SELECT count(*) FROM messages WHERE conversation_id = '{chat}'");
    assert_eq!(stack.count(&found).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_answers_queries_all_the_time() {
    let stack = Stack::with_all_workers().await;
    let ada = register(&stack.log, "ada").await;
    let chat = start_chat(&stack.log, ada, "busy").await;
    for number in 0..50 {
        say(&stack.log, ada, chat, &format!("message {number}")).await;
    }
    stack.caught_up("conversations").await;
    let over = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn({
        let (reader, over) = (stack.reader.clone(), over.clone());
        async move {
            let (mut seen, mut reads, mut slowest) = (50, 0, Duration::ZERO);
            while !over.load(Ordering::Relaxed) {
                let asked = tokio::time::Instant::now();
                let own = OwnChat { user: ada, conversation: chat };
                let page =
                    messages(&reader, Wanted::Now, own, Window::Newest, 200).await.expect("it answers");
                slowest = slowest.max(asked.elapsed());
                let rows = page.value.unwrap().messages.len();
                assert!(rows >= seen, "{rows} messages after {seen}");
                (seen, reads) = (rows, reads + 1);
            }
            (reads, slowest)
        }
    });
    let writer = tokio::spawn({
        let (log, over) = (stack.log.clone(), over.clone());
        async move {
            let mut said = 0;
            while !over.load(Ordering::Relaxed) && said < 140 {
                // Read your own writes holds all the while.
                say(&log, ada, chat, "and on").await;
                said += 1;
            }
        }
    });
    for _ in 0..5 {
        run(&stack.log, &Conversations, SAME).await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    writer.await.unwrap();
    let (reads, slowest) = reader.await.unwrap();
    assert!(reads > 20, "{reads} reads");
    assert!(slowest < Duration::from_secs(2), "the slowest read took {slowest:?}");
    stack.caught_up("conversations").await;
    let missing = "SELECT (SELECT count(*) FROM events WHERE event_type = 'MessagePosted') \
         - (SELECT count(*) FROM messages)";
    assert_eq!(stack.count(missing).await, 0);
    assert_eq!(stack.count("SELECT message_count - 50 FROM conversations").await, {
        stack.count("SELECT count(*) - 50 FROM messages").await
    });
}

/// Notes chats, tells how often it spoke of it, and refuses what it is told to refuse.
struct Notes {
    told: Arc<AtomicUsize>,
    refused: Option<Uuid>,
    refuses: Arc<AtomicBool>,
}

impl Notes {
    fn new(refused: Option<Uuid>) -> Self {
        Self { told: Arc::default(), refused, refuses: Arc::new(AtomicBool::new(true)) }
    }
}

const NOTES: &str = "CREATE TABLE notes (position bigint NOT NULL, chat uuid NOT NULL)";

static NOTES_SPEC: Spec = Spec {
    name: "notes",
    reads: &[Conversation::TYPE],
    ignored_events: &[],
    tables: &["notes"],
    poison: PoisonPolicy::Park,
    payloads: Payloads::Opened,
    latency: Latency::Interactive,
};

#[async_trait]
impl Projection for Notes {
    fn spec(&self) -> &'static Spec {
        &NOTES_SPEC
    }

    async fn apply(&self, tx: &mut PgConnection, page: &[OpenedEvent]) -> Result<(), ApplyError> {
        for event in page {
            let chat: Uuid = event.recorded.aggregate_id.parse().unwrap();
            if self.refused == Some(chat) && self.refuses.load(Ordering::SeqCst) {
                return Err(ApplyError::poison("it is not understood"));
            }
            let insert = sqlx::query("INSERT INTO notes (position, chat) VALUES ($1, $2)");
            insert.bind(event.recorded.position).bind(chat).execute(&mut *tx).await?;
        }
        Ok(())
    }

    async fn after_commit(&self, _: &Bus, applied: &[&OpenedEvent]) {
        self.told.fetch_add(applied.len(), Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_fires_no_side_effects() {
    let mut stack = Stack::start().await;
    stack.execute(NOTES).await;
    let notes = Arc::new(Notes::new(None));
    stack.work(notes.clone());
    let ada = register(&stack.log, "ada").await;
    let chat = start_chat(&stack.log, ada, "chat").await;
    say(&stack.log, ada, chat, "hello").await;
    stack.caught_up("notes").await;
    let events = stack.count("SELECT count(*) FROM notes").await;
    let told = || i64::try_from(notes.told.load(Ordering::SeqCst)).unwrap();
    until("the worker told of every event", async || told() == events).await;
    let rebuilt = run(&stack.log, notes.as_ref(), SAME).await.unwrap();
    assert_eq!(rebuilt.tables[0].rebuilt.rows, events);
    say(&stack.log, ada, chat, "again").await;
    stack.caught_up("notes").await;
    let events = stack.count("SELECT count(*) FROM notes").await;
    until("the worker told of the new events", async || told() >= events).await;
    assert_eq!(told(), events, "the rebuild told of none");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_outlive_a_rebuild_is_not_rebuilt() {
    let stack = Stack::start().await;
    let refused = run(&stack.log, &WorkToDo, SAME).await.unwrap_err();
    assert!(matches!(refused, RebuildError::NoTables { projection: "work" }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_was_killed_leaves_nothing_behind() {
    let stack = Stack::with_all_workers().await;
    a_busy_day(&stack.log).await;
    stack.all_caught_up().await;
    let before = stack.rows("messages").await;
    // Somebody reads for long, so the rebuild is at its very end and cannot get further.
    let mut reader = PgConnection::connect(&stack.url).await.unwrap();
    let mut reading = reader.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM messages").execute(&mut *reading).await.unwrap();
    let task = tokio::spawn({
        let log = stack.log.clone();
        async move { run(&log, &Conversations, SAME).await }
    });
    until("the rebuild wants to swap", async || {
        stack.count("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted").await
            > 0
    })
    .await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    reading.rollback().await.unwrap();
    assert_eq!(stack.count(STAGES).await, 1, "it died on the way");
    assert_eq!(stack.rows("messages").await, before);
    run(&stack.log, &Conversations, SAME).await.unwrap();
    assert_eq!(stack.rows("messages").await, before);
    assert_eq!(stack.count(STAGES).await, 0);
    let names = i64::try_from(projections::all().len()).unwrap();
    assert_eq!(stack.count("SELECT count(*) FROM checkpoints").await, names, "no checkpoint of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_rebuild_of_a_projection_runs_at_a_time() {
    let stack = Stack::with_all_workers().await;
    a_busy_day(&stack.log).await;
    stack.all_caught_up().await;
    let mut holder = PgConnection::connect(&stack.url).await.unwrap();
    let lock = "SELECT pg_advisory_lock(hashtextextended('routix rebuild conversations', 0))";
    sqlx::query(lock).execute(&mut holder).await.unwrap();
    let refused = run(&stack.log, &Conversations, SAME).await.unwrap_err();
    assert!(matches!(refused, RebuildError::AlreadyRunning { .. }), "{refused}");
    run(&stack.log, &Templates, SAME).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuilt_table_that_differs_is_not_swapped() {
    let stack = Stack::with_all_workers().await;
    a_busy_day(&stack.log).await;
    stack.all_caught_up().await;
    // A row that no event tells of.
    stack
        .execute(
            "UPDATE messages SET content = 'forged' WHERE position = (SELECT max(position) FROM messages)",
        )
        .await;
    let forged = stack.rows("messages").await;
    let Err(RebuildError::Differs { compared_at, tables }) = run(&stack.log, &Conversations, SAME).await
    else {
        panic!("it was swapped")
    };
    assert_eq!(compared_at, stack.log.head().await.unwrap());
    let differing: Vec<_> = tables.iter().filter(|table| table.differs()).map(|table| table.table).collect();
    assert_eq!(differing, ["messages"]);
    assert_eq!(stack.rows("messages").await, forged, "the live rows are as they were");
    assert_eq!(stack.count(STAGES).await, 0);

    let rebuilt = run(&stack.log, &Conversations, CHANGED).await.unwrap();
    assert!(rebuilt.tables.iter().any(|table| table.table == "messages" && table.differs()));
    assert_eq!(stack.count("SELECT count(*) FROM messages WHERE content = 'forged'").await, 0);
    say_something_new(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_builds_parked_events_anew_and_the_live_worker_goes_on_with_them() {
    let mut stack = Stack::start().await;
    stack.execute(NOTES).await;
    let ada = register(&stack.log, "ada").await;
    let good = start_chat(&stack.log, ada, "good").await;
    let bad = start_chat(&stack.log, ada, "bad").await;
    let notes = Arc::new(Notes::new(Some(bad.0)));
    stack.work(notes.clone());
    say(&stack.log, ada, bad, "boo").await;
    say(&stack.log, ada, good, "hello").await;
    stack.caught_up("notes").await;
    assert!(!parked(stack.log.pool(), 10).await.unwrap().is_empty());
    // Still not understood: what is parked stays parked, under the projection's name.
    let before = parked(stack.log.pool(), 10).await.unwrap().len();
    let rebuilt = run(&stack.log, notes.as_ref(), SAME).await.unwrap();
    assert_eq!(usize::try_from(rebuilt.parked).unwrap(), before);
    let again = parked(stack.log.pool(), 10).await.unwrap();
    assert!(again.len() == before && again.iter().all(|event| event.projection == "notes"));

    notes.refuses.store(false, Ordering::SeqCst);
    let rebuilt = run(&stack.log, notes.as_ref(), CHANGED).await.unwrap();
    assert_eq!(rebuilt.parked, 0);
    assert!(parked(stack.log.pool(), 10).await.unwrap().is_empty());
    say(&stack.log, ada, bad, "welcome back").await;
    stack.caught_up("notes").await;
    let missing = "SELECT (SELECT count(*) FROM events WHERE aggregate_type = 'conversation') \
         - (SELECT count(*) FROM notes) - (SELECT count(*) FROM parked_events)";
    assert_eq!(stack.count(missing).await, 0);
    assert!(
        parked(stack.log.pool(), 10).await.unwrap().is_empty(),
        "the worker knows that nothing is parked"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_keep_their_vector_index() {
    let mut stack = Stack::start().await;
    stack.work(Arc::new(Templates));
    let unit = |axis: usize| {
        let mut vector = vec![0.0; 1536];
        vector[axis] = 1.0;
        vector
    };
    let mut wanted = Uuid::nil();
    for axis in 0..30 {
        let template = upload_template(&stack.log, "gaming").await;
        analyze(&stack.log, template, analysis(unit(axis))).await;
        if axis == 7 {
            wanted = template.0;
        }
    }
    stack.caught_up("templates").await;
    let indexes = "SELECT indexdef FROM pg_indexes WHERE tablename = 'templates' ORDER BY indexdef";
    let before: Vec<String> = sqlx::query_scalar(indexes).fetch_all(stack.log.pool()).await.unwrap();
    run(&stack.log, &Templates, SAME).await.unwrap();
    let after: Vec<String> = sqlx::query_scalar(indexes).fetch_all(stack.log.pool()).await.unwrap();
    assert_eq!(before, after);
    assert!(after.iter().any(|index| index.contains("USING hnsw") && index.contains("halfvec_cosine_ops")));
    let plan: Vec<String> = {
        let mut tx = stack.log.pool().begin().await.unwrap();
        sqlx::raw_sql(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off",
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        sqlx::query_scalar(
            "EXPLAIN SELECT id FROM templates WHERE is_active AND status = 'analyzed' \
             ORDER BY embedding <=> (SELECT embedding FROM templates LIMIT 1) LIMIT 3",
        )
        .fetch_all(&mut *tx)
        .await
        .unwrap()
    };
    assert!(plan.iter().any(|line| line.contains("templates_embedding_idx")), "{plan:?}");
    let query = SearchQuery {
        vector: unit(7),
        model: "ngrams-1".to_owned(),
        filter: SearchFilter::default(),
        threshold: 0.7,
        limit: 3,
    };
    let hits = search(&stack.reader, Wanted::Now, &query).await.unwrap().value;
    assert_eq!(hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [wanted]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cut_of_the_pages_does_not_change_the_rows() {
    let stack = Stack::start().await;
    let log = &stack.log;
    let algorithm = define_algorithm(log, "pro", 5).await;
    let ada = register(log, "ada").await;
    let mut chats = Vec::new();
    for number in 0..7 {
        chats.push(start_chat(log, ada, &format!("chat {number}")).await);
        for (at, chat) in chats.iter().enumerate() {
            say(log, ada, *chat, &format!("{number} to {at}")).await;
        }
        match number {
            2 => rename(log, ada, chats[0], "renamed").await,
            3 => drop(choose(log, ada, chats[1], algorithm).await),
            4 => rename(log, ada, chats[4], "renamed at once").await,
            _ => {}
        }
    }
    archive(log, ada, chats[6]).await;
    archive(log, ada, chats[5]).await;
    let head = log.head().await.unwrap();
    let mut events = Vec::new();
    for event in log.page(Position::ZERO, head.get()).await.unwrap() {
        if event.aggregate_type == Conversation::TYPE {
            events.push(log.open(Arc::new(event)).await.unwrap());
        }
    }
    let mut connection = PgConnection::connect(&stack.url).await.unwrap();
    for event in &events {
        Conversations.apply(&mut connection, std::slice::from_ref(event)).await.unwrap();
    }
    let singly = (stack.rows("conversations").await, stack.rows("messages").await);
    for page in [2, 3, 10, events.len()] {
        stack.execute("TRUNCATE conversations, messages").await;
        for page in events.chunks(page) {
            Conversations.apply(&mut connection, page).await.unwrap();
        }
        assert_eq!(
            (stack.rows("conversations").await, stack.rows("messages").await),
            singly,
            "pages of {page}"
        );
    }
    // What is poison one by one is poison for its page.
    stack.execute("TRUNCATE conversations, messages").await;
    let orphans = Conversations.apply(&mut connection, &events[1..]).await;
    assert!(matches!(orphans, Err(ApplyError::Poison { .. })), "{orphans:?}");
    let mut doubled: Vec<OpenedEvent> = events.clone();
    doubled.extend(events[..1].iter().cloned());
    let twice = Conversations.apply(&mut connection, &doubled).await;
    assert!(matches!(twice, Err(ApplyError::Poison { .. })), "{twice:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_event_on_a_page_is_found_and_only_its_chat_is_parked() {
    let stack = Stack::start().await;
    let ada = register(&stack.log, "ada").await;
    let (good, bad) = (start_chat(&stack.log, ada, "good").await, start_chat(&stack.log, ada, "bad").await);
    say(&stack.log, ada, good, "one").await;
    // An event that this version of the program does not know.
    let stranger = format!(
        "INSERT INTO events (position, aggregate_type, aggregate_id, sequence, event_type, event_version, \
                             payload, metadata, event_id, recorded_at, chain, authentication) \
         SELECT max(position) + 1, 'conversation', '{bad}', \
                (SELECT max(sequence) + 1 FROM events WHERE aggregate_id = '{bad}'), 'Stranger', '9.0', \
                '{{\"type\": \"Stranger\"}}', '{{}}', gen_random_uuid(), now(), '', '' FROM events"
    );
    stack.execute(&stranger).await;
    stack.authenticate_last().await;
    let poison = stack.log.head().await.unwrap();
    say(&stack.log, ada, good, "two").await;
    let rebuilt = run(&stack.log, &Conversations, CHANGED).await.unwrap();
    assert_eq!((rebuilt.position, rebuilt.parked), (stack.log.head().await.unwrap(), 1));
    let set_aside = parked(stack.log.pool(), 10).await.unwrap();
    assert_eq!((set_aside[0].position, set_aside[0].projection.as_str()), (poison, "conversations"));
    assert_eq!(stack.count("SELECT count(*) FROM conversations").await, 2);
    let said = format!("SELECT count(*) FROM messages WHERE conversation_id = '{good}'");
    assert_eq!(stack.count(&said).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_tells_how_far_it_is() {
    let stack = Stack::with_all_workers().await;
    a_busy_day(&stack.log).await;
    stack.all_caught_up().await;
    let head = stack.log.head().await.unwrap();
    let steps = std::sync::Mutex::new(Vec::new());
    let watch = |step| steps.lock().unwrap().push(step);
    rebuild(&stack.log, &Conversations, SAME, &watch).await.unwrap();
    let steps = steps.into_inner().unwrap();
    assert_eq!(steps.first(), Some(&RebuildStep::Applied { position: head, target: head }));
    assert_eq!(steps.last(), Some(&RebuildStep::Swapping));
}
