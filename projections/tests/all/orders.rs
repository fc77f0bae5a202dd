//! The read models of an order: algorithms, requests, credits, templates, work.

use std::sync::Arc;
use std::time::Duration;

use domain::algorithm::{Algorithm, AlgorithmCommand};
use domain::credit_ledger::{CreditLedger, CreditLedgerCommand};
use domain::generation_request::{FailureReason, GenerationRequest, GenerationRequestCommand, Status};
use domain::language::Language;
use domain::template::{Template, TemplateCommand};
use domain::{AttemptId, RequestId, UserId};
use event_log::{Position, work};
use projections::credits::TransactionKind;
use projections::templates::{TemplateFilter, TemplateStatus};
use projections::{Page, Wanted, algorithms, credits, generations, templates};
use serde_json::json;

use crate::examples::{
    analysis, analyze, at, choose, completion, define_algorithm, generate, grant, hold, id, register,
    request, say, start_chat, steps, tell, upload_face, upload_template,
};
use crate::stack::{Stack, until};

const FIRST: Page = Page { limit: 20, offset: 0 };

#[tokio::test(flavor = "multi_thread")]
async fn a_request_climbs_the_ladder_and_never_falls() {
    let stack = Stack::with_all_workers().await;
    let (log, reader) = (&stack.log, &stack.reader);
    let ada = register(log, "ada").await;
    let bob = register(log, "bob").await;
    let algorithm = define_algorithm(log, "pro", 5).await;
    let face = upload_face(log, ada).await;
    let asked = request(log, ada, algorithm, Some(face)).await;
    let attempt = AttemptId(id());
    let mut commands = steps(attempt, None);
    commands.push(completion(attempt));
    let mut ladder = Vec::new();
    for command in commands {
        let position = tell::<GenerationRequest>(log, Some(ada), asked.0, [command]).await;
        let fresh =
            generations::get(reader, Wanted::After(Position::new(position)), ada, asked).await.unwrap();
        let now = fresh.value.unwrap();
        ladder.push((now.status.name(), now.progress));
    }
    assert_eq!(
        ladder,
        [
            ("analyzing", 10),
            ("searching", 30),
            ("composing", 50),
            ("composing", 50),
            ("generating", 70),
            ("completed", 100)
        ]
    );
    let done = generations::trace(reader, Wanted::Now, asked).await.unwrap().value.unwrap();
    assert_eq!((done.generation.processing_time_ms, done.cost_micros), (Some(28_000), 40_000));
    assert_eq!((done.generation.face_asset_id, done.attempts), (Some(face.0), 1));
    assert_eq!(done.style_preference.as_deref(), Some("bold"));
    assert_eq!(done.generation.custom_text.as_deref(), Some("EPIC"));
    assert_eq!(done.generation.message(Language::English), Status::Completed.sentence(Language::English));
    let image = generations::image_key(reader, Wanted::Now, ada, asked).await.unwrap().value.unwrap();
    assert_eq!(image.key, "results/1");
    assert_eq!(generations::image_key(reader, Wanted::Now, bob, asked).await.unwrap().value, None);

    let refused = request(log, ada, algorithm, None).await;
    let fail = GenerationRequestCommand::Fail { reason: FailureReason::ContentRejected, at: at(20) };
    let begin = GenerationRequestCommand::StartAnalysis { at: at(19) };
    let position = tell::<GenerationRequest>(log, Some(ada), refused.0, [begin, fail]).await;
    let failed = generations::get(reader, Wanted::After(Position::new(position)), ada, refused)
        .await
        .unwrap()
        .value
        .unwrap();
    assert_eq!((failed.status, failed.progress), (Status::Failed, 10));
    assert_eq!((failed.retry_possible, failed.completed_at), (Some(false), Some(at(20))));
    for language in Language::ALL {
        assert_eq!(failed.message(*language), FailureReason::ContentRejected.sentence(*language));
    }
    let mine = generations::list(reader, Wanted::Now, ada, FIRST).await.unwrap().value;
    assert_eq!((mine.total, mine.rows.len()), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_is_the_sum_of_its_transactions_and_they_cannot_be_changed() {
    let stack = Stack::with_all_workers().await;
    let (log, reader) = (&stack.log, &stack.reader);
    let ada = register(log, "ada").await;
    grant(log, ada, 20).await;
    let (kept, lost) = (RequestId(id()), RequestId(id()));
    hold(log, ada, kept, 5).await;
    hold(log, ada, lost, 7).await;
    let (user_id, at) = (ada, at(9));
    let ends = [
        CreditLedgerCommand::Settle { user_id, request_id: kept, at },
        CreditLedgerCommand::Release { user_id, request_id: lost, at },
    ];
    let position = tell::<CreditLedger>(log, Some(ada), ada.0, ends).await;

    let balance = credits::balance(reader, Wanted::After(Position::new(position)), ada).await.unwrap().value;
    assert_eq!((balance.available, balance.held), (15, 0));
    let rows = credits::transactions(reader, Wanted::Now, ada, FIRST).await.unwrap().value.rows;
    let kinds: Vec<TransactionKind> = rows.iter().rev().map(|row| row.transaction_type).collect();
    let expected = ["grant", "hold", "hold", "settle", "release"];
    assert_eq!(kinds, expected.map(|word| TransactionKind::parse(word).unwrap()));
    assert_eq!(rows.iter().map(|row| row.amount).sum::<i64>(), balance.available);
    for pair in rows.windows(2) {
        assert_eq!(pair[0].balance_after, pair[1].balance_after + pair[0].amount);
    }
    let changed = sqlx::query("UPDATE credit_transactions SET amount = 0").execute(log.pool()).await;
    assert!(changed.unwrap_err().to_string().contains("append-only"));
    let nobody = credits::balance(reader, Wanted::Now, UserId(id())).await.unwrap().value;
    assert_eq!((nobody.available, nobody.held), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn algorithms_list_the_default_first_then_by_price() {
    let stack = Stack::with_all_workers().await;
    let (log, reader) = (&stack.log, &stack.reader);
    let dear = define_algorithm(log, "pro", 9).await;
    let cheap = define_algorithm(log, "lightning", 1).await;
    let first = define_algorithm(log, "v1", 3).await;
    let off = define_algorithm(log, "old", 2).await;
    for default in [cheap, first] {
        tell::<Algorithm>(log, None, default.0, [AlgorithmCommand::MakeDefault { at: at(1) }]).await;
    }
    let position = tell::<Algorithm>(log, None, off.0, [AlgorithmCommand::Deactivate { at: at(2) }]).await;
    let active = algorithms::list_active(reader, Wanted::After(Position::new(position))).await.unwrap().value;
    assert_eq!(active.iter().map(|row| row.id).collect::<Vec<_>>(), [first.0, cheap.0, dear.0]);
    assert_eq!(active.iter().filter(|row| row.is_default).count(), 1);
    let by_slug = algorithms::get(reader, Wanted::Now, "pro").await.unwrap().value.unwrap();
    let by_id = algorithms::get(reader, Wanted::Now, &dear.to_string()).await.unwrap().value.unwrap();
    assert_eq!((by_slug.id, by_id.slug.as_str()), (dear.0, "pro"));
    assert_eq!(algorithms::get(reader, Wanted::Now, "nothing").await.unwrap().value, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_shows_its_analysis_and_its_use() {
    let stack = Stack::with_all_workers().await;
    let (log, reader) = (&stack.log, &stack.reader);
    let ada = register(log, "ada").await;
    let algorithm = define_algorithm(log, "pro", 5).await;
    let template = upload_template(log, " ").await;
    let mut vector = vec![0.0; 1536];
    vector[0] = 1.0;
    analyze(log, template, analysis(vector)).await;
    generate(log, ada, algorithm, Some(template)).await;
    let broken = upload_template(log, "Vlog").await;
    let failure =
        TemplateCommand::RecordFailure { reason: "no picture".to_owned(), retry_at: None, at: at(5) };
    let fails = [TemplateCommand::StartAnalysis { at: at(4) }, failure];
    let position = tell::<Template>(log, None, broken.0, fails).await;

    let row = templates::get(reader, Wanted::After(Position::new(position)), template)
        .await
        .unwrap()
        .value
        .unwrap();
    assert_eq!((row.status, row.category.as_str()), (TemplateStatus::Analyzed, "gaming"));
    assert_eq!((row.usage_count, row.success_count, row.energy_level), (1, 1, Some(5)));
    assert!((row.success_rate - 1.0).abs() < 1e-9);
    assert!((row.performance_score - 2.0 / 3.0).abs() < 1e-9);
    let dna = templates::style_dna(reader, Wanted::Now, template).await.unwrap().value.unwrap();
    assert_eq!(dna["color"]["primary"], json!("#ff0000"));
    let filter = TemplateFilter { category: Some("VLOG".to_owned()), status: Some(TemplateStatus::Failed) };
    let failed = templates::list(reader, Wanted::Now, &filter, FIRST).await.unwrap().value;
    assert_eq!((failed.total, failed.rows[0].failure_reason.as_deref()), (1, Some("no picture")));
    let counts = templates::counts(reader, Wanted::Now).await.unwrap().value;
    assert_eq!(
        counts.iter().map(|row| (row.status.name(), row.count)).collect::<Vec<_>>(),
        [("analyzed", 1), ("failed", 1)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_does_not_fit_is_parked_and_the_others_are_not() {
    let mut stack = Stack::start().await;
    let short = upload_template(&stack.log, "gaming").await;
    let position = analyze(&stack.log, short, analysis(vec![1.0; 3])).await;
    let good = upload_template(&stack.log, "gaming").await;
    stack.work(Arc::new(templates::Templates));
    stack.caught_up("templates").await;
    let parked = projections::runtime::parked(stack.log.pool(), 10).await.unwrap();
    assert_eq!(parked.iter().map(|event| event.position).collect::<Vec<_>>(), [position]);
    assert!(parked[0].reason.contains("1536 dimensions"), "{}", parked[0].reason);
    let row = templates::get(&stack.reader, Wanted::Now, short).await.unwrap().value.unwrap();
    assert_eq!(row.status, TemplateStatus::Analyzing, "what came before it is kept");
    assert!(templates::get(&stack.reader, Wanted::Now, good).await.unwrap().value.is_some());
    let progress =
        projections::runtime::progress(&stack.log, projections::runtime::STALLED_AFTER).await.unwrap();
    let templates = progress.iter().find(|p| p.projection == "templates").unwrap();
    assert_eq!((templates.behind, templates.parked), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_become_work_and_wake_the_role() {
    let stack = Stack::with_all_workers().await;
    let log = &stack.log;
    let mut wakes = stack.bus.wakes("assistant").await.unwrap();
    stack.bus.flush().await.unwrap();
    let ada = register(log, "ada").await;
    let chat = start_chat(log, ada, "New chat").await;
    say(log, ada, chat, "gaming explosions").await;
    tokio::time::timeout(Duration::from_secs(20), wakes.next()).await.expect("the assistant is woken");
    let algorithm = define_algorithm(log, "pro", 5).await;
    choose(log, ada, chat, algorithm).await;
    say(log, ada, chat, "skip").await;
    let asked = request(log, ada, algorithm, None).await;
    let template = upload_template(log, "gaming").await;
    stack.caught_up("work").await;

    let rows =
        stack.rows("(SELECT role, task, subject, due_at = '2026-01-01 00:10:00Z' AS timed FROM work)").await;
    let row = |role: &str, task: &str, subject: uuid::Uuid, timed: bool| json!({ "role": role, "task": task, "subject": subject, "timed": timed });
    let expected = [
        row("assistant", "offer_algorithms", chat.0, false),
        row("assistant", "ask_for_picture", chat.0, false),
        row("assistant", "start_generation", chat.0, false),
        row("generation", "generate", asked.0, false),
        row("timers", "generation_deadline", asked.0, true),
        row("analysis", "analyze", template.0, false),
    ];
    assert_eq!(rows.as_array().unwrap().len(), expected.len());
    for wanted in expected {
        assert!(rows.as_array().unwrap().contains(&wanted), "{wanted} is missing in {rows}");
    }
    until("the assistant's first row can be claimed", async || {
        let life = Duration::from_mins(1);
        let known = work::Known { role: "assistant", tasks: &["offer_algorithms"] };
        let claimed = work::claim(log.pool(), known, life, 10).await.unwrap();
        claimed.iter().any(|row| row.task == "offer_algorithms" && row.owner_id == Some(ada.0))
    })
    .await;
}
