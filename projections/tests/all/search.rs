//! The search: order, threshold, filters, and its recall, by the graph and by sketches.

use std::collections::HashSet;
use std::sync::Arc;

use domain::TemplateId;
use domain::template::{Analysis, Template, TemplateCommand};
use projections::templates::{SearchFilter, SearchQuery, Templates, fallback, search};
use projections::{Reader, Wanted};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::examples::{analysis, analyze, at, define_algorithm, generate, register, tell, upload_template};
use crate::stack::Stack;

/// A unit vector whose cosine with the first axis is `cosine`.
fn vector(cosine: f32) -> Vec<f32> {
    let mut values = vec![0.0; 1536];
    values[0] = cosine;
    values[1] = (1.0 - cosine * cosine).sqrt();
    values
}

fn wish() -> SearchQuery {
    SearchQuery {
        vector: vector(1.0),
        model: "ngrams-1".to_owned(),
        filter: SearchFilter::default(),
        threshold: 0.7,
        limit: 10,
    }
}

async fn add(stack: &Stack, category: &str, cosine: f32) -> TemplateId {
    let template = upload_template(&stack.log, category).await;
    analyze(&stack.log, template, analysis(vector(cosine))).await;
    template
}

async fn found(stack: &Stack, query: SearchQuery) -> Vec<Uuid> {
    let head = stack.log.head().await.unwrap();
    let hits = search(&stack.reader, Wanted::After(head), &query).await.unwrap();
    assert_eq!(hits.behind, None);
    hits.value.into_iter().map(|hit| hit.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn search_orders_by_similarity_then_by_performance() {
    let mut stack = Stack::start().await;
    stack.work(Arc::new(Templates));
    let near = add(&stack, "gaming", 0.95).await;
    let plain = add(&stack, "gaming", 0.8).await;
    let proven = add(&stack, "gaming", 0.8).await;
    add(&stack, "gaming", 0.5).await;
    let ada = register(&stack.log, "ada").await;
    let algorithm = define_algorithm(&stack.log, "pro", 5).await;
    generate(&stack.log, ada, algorithm, Some(proven)).await;
    assert_eq!(found(&stack, wish()).await, [near.0, proven.0, plain.0], "0.5 is below the threshold");
    assert_eq!(found(&stack, SearchQuery { limit: 1, ..wish() }).await, [near.0]);
    assert_eq!(found(&stack, SearchQuery { threshold: 0.3, ..wish() }).await.len(), 4);
    assert_eq!(found(&stack, SearchQuery { threshold: 0.99, ..wish() }).await, Vec::<Uuid>::new());
    let hits = search(&stack.reader, Wanted::Now, &wish()).await.unwrap().value;
    assert!((hits[0].similarity_score - 0.95).abs() < 1e-3);
    assert!((hits[1].performance_score - 2.0 / 3.0).abs() < 1e-9);
    let best = fallback(&stack.reader, Wanted::Now, 2).await.unwrap().value;
    assert_eq!((best.len(), best[0].id), (2, proven.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn search_finds_only_what_may_be_found() {
    let mut stack = Stack::start().await;
    stack.work(Arc::new(Templates));
    let calm = upload_template(&stack.log, " Travel ").await;
    let mut dna = analysis(vector(0.9));
    (dna.has_face, dna.has_text, dna.energy_level) = (true, false, 2);
    analyze(&stack.log, calm, dna).await;
    let wild = upload_template(&stack.log, "Gaming").await;
    let mut dna = analysis(vector(0.8));
    dna.energy_level = 9;
    analyze(&stack.log, wild, dna).await;
    let foreign = upload_template(&stack.log, "gaming").await;
    let mut dna = analysis(vector(1.0));
    dna.embedding_model = "another".to_owned();
    analyze(&stack.log, foreign, dna).await;
    upload_template(&stack.log, "gaming").await;

    let with = |filter| SearchQuery { filter, ..wish() };
    let any = SearchFilter::default;
    assert_eq!(found(&stack, with(any())).await, [calm.0, wild.0]);
    let filter = SearchFilter { category: Some("GAMING".to_owned()), ..any() };
    assert_eq!(found(&stack, with(filter)).await, [wild.0]);
    assert_eq!(found(&stack, with(SearchFilter { has_face: Some(true), ..any() })).await, [calm.0]);
    assert_eq!(found(&stack, with(SearchFilter { has_text: Some(true), ..any() })).await, [wild.0]);
    assert_eq!(found(&stack, with(SearchFilter { energy_min: Some(3), ..any() })).await, [wild.0]);
    assert_eq!(found(&stack, with(SearchFilter { energy_max: Some(3), ..any() })).await, [calm.0]);
    let all = SearchFilter {
        category: Some("travel".to_owned()),
        has_face: Some(true),
        has_text: Some(false),
        energy_min: Some(1),
        energy_max: Some(2),
    };
    assert_eq!(found(&stack, with(all)).await, [calm.0]);

    tell::<Template>(&stack.log, None, calm.0, [TemplateCommand::Deactivate { at: at(9) }]).await;
    tell::<Template>(&stack.log, None, wild.0, [TemplateCommand::RequestAnalysis { at: at(9) }]).await;
    assert_eq!(found(&stack, with(any())).await, Vec::<Uuid>::new(), "off, and waiting for its analysis");
    tell::<Template>(&stack.log, None, calm.0, [TemplateCommand::Activate { at: at(10) }]).await;
    assert_eq!(found(&stack, with(any())).await, [calm.0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_finds_the_nearest_behind_a_narrow_filter() {
    let mut stack = Stack::start().await;
    stack.work(Arc::new(Templates));
    let mut rare = Vec::new();
    for number in 0_u16..400 {
        // Alternately far and near, one in ten with a face.
        let cosine = 0.2 + 0.75 * f32::from(number * 7 % 400) / 400.0;
        let template = upload_template(&stack.log, "common").await;
        let has_face = number % 10 == 0;
        analyze(&stack.log, template, Analysis { has_face, ..analysis(vector(cosine)) }).await;
        if has_face {
            rare.push((cosine, template.0));
        }
    }
    rare.sort_by(|a, b| b.0.total_cmp(&a.0));
    let nearest: HashSet<Uuid> = rare[..10].iter().map(|(_, id)| *id).collect();
    stack.caught_up("templates").await;

    // Without the cheaper plans of a small table, so that the index is asked.
    let forced = stack.url.parse::<PgConnectOptions>().unwrap().options([
        ("enable_seqscan", "off"),
        ("enable_sort", "off"),
        ("enable_bitmapscan", "off"),
    ]);
    let pool = PgPoolOptions::new().connect_with(forced).await.unwrap();
    let plan: Vec<String> = sqlx::query_scalar(
        "EXPLAIN SELECT id FROM templates WHERE is_active AND status = 'analyzed' AND has_face \
         ORDER BY embedding <=> (SELECT embedding FROM templates LIMIT 1) LIMIT 10",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(plan.iter().any(|line| line.contains("templates_embedding_idx")), "{plan:?}");
    let reader = Reader::new(&pool, stack.log.clone());
    let filter = SearchFilter { has_face: Some(true), ..SearchFilter::default() };
    let query = SearchQuery { filter, threshold: 0.0, ..wish() };
    let hits = search(&reader, Wanted::Now, &query).await.unwrap().value;
    assert_eq!(hits.len(), 10);
    assert!(hits.iter().filter(|hit| nearest.contains(&hit.id)).count() >= 9);
    assert!(hits.is_sorted_by(|a, b| a.similarity_score >= b.similarity_score));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_within_a_category_finds_the_nearest_by_their_sketches() {
    let mut stack = Stack::start().await;
    stack.work(Arc::new(Templates));
    let mut of_category = Vec::new();
    for number in 0_u16..300 {
        let cosine = 0.2 + 0.75 * f32::from(number * 7 % 300) / 300.0;
        let category = if number % 3 == 0 { "other" } else { "gaming" };
        let template = add(&stack, category, cosine).await;
        if category == "gaming" {
            of_category.push((cosine, template.0));
        }
    }
    of_category.sort_by(|a, b| b.0.total_cmp(&a.0));
    let nearest: Vec<Uuid> = of_category[..10].iter().map(|(_, id)| *id).collect();
    let filter = SearchFilter { category: Some("gaming".to_owned()), ..SearchFilter::default() };
    let query = SearchQuery { filter, threshold: 0.0, ..wish() };
    let hits = found(&stack, query).await;
    assert_eq!(hits.len(), 10);
    assert!(hits.iter().filter(|hit| nearest.contains(hit)).count() >= 9, "{hits:?} instead of {nearest:?}");
}
