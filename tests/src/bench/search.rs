//! The case `search`: 20,000 varied templates, a category filter, the built-in embedder. Beside it the exact scan,
//! which also says which rows should have been found.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use commands::CommandError;
use domain::TemplateId;
use domain::template::{Analysis, Embedding, StoredPicture, Template, TemplateCommand};
use event_log::{Actor, CommandContext, EventLog, checkpoints, clock};
use nats::{Bus, BusOptions, Feed};
use pgvector::HalfVector;
use projections::templates::{SearchFilter, SearchQuery, Templates, search};
use projections::{Projection, Reader, Wanted, Worker};
use providers::Providers;
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use crate::drive::{as_f64, drive, median};
use crate::effort::Effort;
use crate::report::Report;
use crate::stack::{self, Stack};
use crate::writers::{context, writer_id};

const TEMPLATES: usize = 20_000;
const CLIENTS: usize = 8;
const QUERIES: usize = 200;
const ROWS: usize = 10;

const CATEGORIES: [&str; 10] = [
    "gaming",
    "cooking",
    "travel",
    "fitness",
    "music",
    "technology",
    "education",
    "finance",
    "beauty",
    "sports",
];
const MOODS: [&str; 12] = [
    "calm", "epic", "funny", "dark", "bright", "retro", "minimal", "loud", "elegant", "dramatic", "playful",
    "serious",
];
const SUBJECTS: [&str; 24] = [
    "explosion",
    "mountain",
    "pasta",
    "guitar",
    "robot",
    "castle",
    "ocean",
    "city at night",
    "dumbbell",
    "coins",
    "lipstick",
    "football",
    "dragon",
    "space rocket",
    "coffee",
    "desert road",
    "piano",
    "laptop",
    "chalkboard",
    "sunset",
    "race car",
    "haunted house",
    "avocado toast",
    "snowboard",
];
const STYLES: [&str; 10] = [
    "neon glow",
    "comic outlines",
    "film grain",
    "paper cut",
    "watercolour",
    "bold stripes",
    "soft gradient",
    "isometric",
    "collage",
    "hand lettering",
];
const COLOURS: [&str; 14] = [
    "red",
    "teal",
    "gold",
    "violet",
    "black and white",
    "orange",
    "mint",
    "navy",
    "pink",
    "lime",
    "brown",
    "silver",
    "turquoise",
    "crimson",
];

/// The description of a template: what the analyser would say, different for nearly every number.
fn description(number: usize) -> (&'static str, String) {
    // Steps without a common factor with the lengths, so that the parts do not march together.
    let pick = |list: &'static [&'static str], step: usize| list[(number * step + number / 7) % list.len()];
    let category = CATEGORIES[number % CATEGORIES.len()];
    let text = format!(
        "category: {category}. {} {} with {} and a {}, {} and {} colours, number {} of {}",
        pick(&MOODS, 5),
        pick(&SUBJECTS, 7),
        pick(&SUBJECTS, 11),
        pick(&STYLES, 3),
        pick(&COLOURS, 5),
        pick(&COLOURS, 9),
        number % 97,
        pick(&MOODS, 7),
    );
    (category, text)
}

pub async fn run(effort: &Effort) -> Report {
    let mut report = Report::new("search");
    let stack = Stack::with_nats().await;
    let log = stack::log(&stack.migrated().await).await;
    let providers = Providers::built_in(stack.folder.path()).expect("a folder of its own can be named");
    fill(&log, &providers).await;
    index(&stack, &log).await;
    let reader = Reader::new(log.pool(), log.clone());
    let queries = Arc::new(queries(&providers).await);
    let (recall, fewest) = recall(&reader, log.pool(), &queries).await;
    let params = json!({ "templates": TEMPLATES, "clients": CLIENTS, "category": true });
    report.figure("recall@10", recall, "share", params.clone());
    report.figure("fewest rows", as_f64(fewest), "rows", params.clone());
    let mut runs = Vec::new();
    let mut peers = Vec::new();
    for _ in 0..effort.rounds {
        runs.push(
            drive(CLIENTS, effort.seconds, |index| {
                let (reader, queries) = (reader.clone(), Arc::clone(&queries));
                let next = Arc::new(AtomicUsize::new(index * 31));
                move || {
                    let query = queries[next.fetch_add(1, Ordering::Relaxed) % queries.len()].clone();
                    let reader = reader.clone();
                    async move {
                        search(&reader, Wanted::Now, &query).await.unwrap();
                    }
                }
            })
            .await,
        );
        peers.push(
            drive(CLIENTS, effort.seconds, |index| {
                let (pool, queries) = (log.pool().clone(), Arc::clone(&queries));
                let next = Arc::new(AtomicUsize::new(index * 31));
                move || {
                    let query = queries[next.fetch_add(1, Ordering::Relaxed) % queries.len()].clone();
                    let pool = pool.clone();
                    async move {
                        exact(&pool, &query).await;
                    }
                }
            })
            .await,
        );
    }
    let (ours, theirs) = (median(runs), median(peers));
    report.beside(
        "throughput",
        ours.per_second(),
        "searches/s",
        params.clone(),
        ("exact scan", theirs.per_second()),
    );
    report.beside("p99", ours.percentile_ms(0.99), "ms", params, ("exact scan", theirs.percentile_ms(0.99)));
    report
}

fn house(log: &EventLog) -> CommandContext {
    CommandContext {
        actor: Actor::Process("bench"),
        owner: None,
        ip: None,
        user_agent: None,
        ..context(log, writer_id(0), b"")
    }
}

/// Uploads and analyses by the events that the real ones would leave.
async fn fill(log: &EventLog, providers: &Providers) {
    let next = Arc::new(AtomicUsize::new(0));
    let embedder = Arc::clone(&providers.embedder);
    while next.load(Ordering::Relaxed) < TEMPLATES {
        drive(16, 2.0, |_| {
            let (log, next, embedder) = (log.clone(), Arc::clone(&next), Arc::clone(&embedder));
            move || {
                let (log, next, embedder) = (log.clone(), Arc::clone(&next), Arc::clone(&embedder));
                async move {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= TEMPLATES {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        return;
                    }
                    let (category, text) = description(number);
                    let vector = embedder.embed(&text).await.unwrap();
                    let id = clock::new_id();
                    let commands = uploaded(id, category, text, vector, embedder.model());
                    let unit = log.unit::<CommandError>(house(&log)).create::<Template>(id, commands);
                    unit.commit().await.unwrap();
                }
            }
        })
        .await;
    }
}

fn uploaded(id: Uuid, category: &str, text: String, vector: Vec<f32>, model: &str) -> Vec<TemplateCommand> {
    let picture = StoredPicture {
        key: format!("templates/{id}.png"),
        mime: "image/png".to_owned(),
        size_bytes: 1,
        width: 1280,
        height: 720,
    };
    let analysis = Analysis {
        style_dna: json!({}),
        embedding: Embedding(vector),
        embedding_model: model.to_owned(),
        searchable_text: text.clone(),
        category: category.to_owned(),
        has_face: false,
        has_text: true,
        has_logo: false,
        energy_level: 5,
        analyzed_by: "bench".to_owned(),
        analysis_version: "1".to_owned(),
    };
    let at = clock::now();
    vec![
        TemplateCommand::Upload {
            template_id: TemplateId(id),
            image: picture.clone(),
            preview: picture,
            category: category.to_owned(),
            tags: vec![],
            description: text,
            at,
        },
        TemplateCommand::StartAnalysis { at },
        TemplateCommand::RecordAnalysis { analysis: Box::new(analysis), at },
    ]
}

/// Has the projection build its index.
async fn index(stack: &Stack, log: &EventLog) {
    let bus = Bus::connect(&stack.nats.as_ref().unwrap().url(), BusOptions::default()).await.unwrap();
    let feed = Feed::start(log.clone(), bus.clone());
    let task = tokio::spawn(Worker::new(log.clone(), bus, feed, Arc::new(Templates)).run());
    let head = log.head().await.unwrap();
    while checkpoints::position(log.pool(), Templates.spec().name).await.unwrap() < head {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    task.abort();
    // What autovacuum does within a minute.
    sqlx::query("VACUUM (ANALYZE) templates").execute(log.pool()).await.unwrap();
}

/// Wishes as people write them, each within a category.
async fn queries(providers: &Providers) -> Vec<SearchQuery> {
    let mut queries = Vec::new();
    for number in 0..QUERIES {
        let wish = number * 101 + 13;
        let category = CATEGORIES[wish % CATEGORIES.len()];
        let text = format!(
            "{} {} thumbnail, {} style in {}",
            MOODS[wish % MOODS.len()],
            SUBJECTS[wish % SUBJECTS.len()],
            STYLES[(wish / 3) % STYLES.len()],
            COLOURS[(wish / 5) % COLOURS.len()]
        );
        queries.push(SearchQuery {
            vector: providers.embedder.embed(&text).await.unwrap(),
            model: providers.embedder.model().to_owned(),
            filter: SearchFilter { category: Some(category.to_owned()), ..SearchFilter::default() },
            threshold: -1.0,
            limit: i64::try_from(ROWS).unwrap(),
        });
    }
    queries
}

/// The ids of the nearest rows, by looking at every one.
async fn exact(pool: &PgPool, query: &SearchQuery) -> Vec<(Uuid, f64)> {
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("SELECT set_config('enable_indexscan', 'off', true)").execute(&mut *tx).await.unwrap();
    let rows = sqlx::query_as(
        "SELECT id, embedding <=> $1 AS distance FROM templates \
         WHERE is_active AND status = 'analyzed' AND embedding_model = $2 AND category = $3 \
         ORDER BY embedding <=> $1 LIMIT $4",
    )
    .bind(HalfVector::from_f32_slice(&query.vector))
    .bind(&query.model)
    .bind(query.filter.category.as_deref())
    .bind(query.limit)
    .fetch_all(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    rows
}

/// The share of the nearest rows that were found, and the fewest rows of an answer. Rows as near as the last
/// one of the exact answer count as found: which of them are shown is chance.
async fn recall(reader: &Reader, pool: &PgPool, queries: &[SearchQuery]) -> (f64, usize) {
    let (mut found, mut wanted, mut fewest) = (0, 0, usize::MAX);
    for query in queries {
        let exact = exact(pool, query).await;
        let farthest = exact.last().map_or(0.0, |(_, distance)| *distance) + 1e-6;
        let nearest: HashSet<Uuid> = exact.iter().map(|(id, _)| *id).collect();
        let hits = search(reader, Wanted::Now, query).await.unwrap().value;
        fewest = fewest.min(hits.len());
        wanted += exact.len();
        found += hits
            .iter()
            .filter(|hit| nearest.contains(&hit.id) || 1.0 - hit.similarity_score <= farthest)
            .count();
    }
    (as_f64(found) / as_f64(wanted), fewest)
}
