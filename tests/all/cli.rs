//! The program as a new user meets it: `up` and `demo`.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use futures::future::join_all;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::support::checker;
use crate::support::client::Told;
use crate::support::process::Surroundings;
use crate::support::{PATIENCE, audit, eventually, servers};

#[tokio::test(flavor = "multi_thread")]
async fn up_prints_what_to_do_next_and_twenty_demos_at_once_all_complete() {
    let (database_url, nats) = (servers::database().await, servers::nats().await);
    let data = servers::folder("up");
    let surroundings = Surroundings { database_url, nats_url: nats.url(), data: data.clone(), extra: vec![] };
    assert!(surroundings.command(&["migrate"]).output().await.unwrap().status.success());
    audit::install(&sqlx::PgPool::connect(&surroundings.database_url).await.unwrap()).await;
    let mut up = surroundings.command(&["up"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(up.stdout.take().unwrap()).lines();
    let printed = tokio::time::timeout(PATIENCE, async {
        let mut printed = Vec::new();
        while let Ok(Some(line)) = lines.next_line().await {
            let last = line.contains("--out");
            printed.push(line);
            if last {
                break;
            }
        }
        printed.join("\n")
    })
    .await
    .expect("up becomes ready");
    let address = printed.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
    let kept = std::fs::read_to_string(data.join("credentials.json")).unwrap();
    let credentials: Value = serde_json::from_str(&kept).unwrap();
    for word in [
        credentials["admin"]["email"].as_str().unwrap(),
        credentials["admin"]["password"].as_str().unwrap(),
        credentials["demo"]["password"].as_str().unwrap(),
        "/docs",
        "cargo run -- demo",
    ] {
        assert!(printed.contains(word), "{word} is missing in {printed}");
    }
    let mode = std::fs::metadata(data.join("credentials.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let demos = join_all((0..20).map(|n| {
        let out = data.join(format!("{n}.png"));
        let mut demo = surroundings.command(&[
            "demo",
            &format!("Epic battle number {n}"),
            "--server",
            &address,
            "--out",
            out.to_str().unwrap(),
        ]);
        async move {
            let done = tokio::time::timeout(PATIENCE * 2, demo.output()).await.unwrap().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            image::open(&out).unwrap().to_rgb8()
        }
    }))
    .await;
    assert_eq!((demos[0].width(), demos[0].height()), (1280, 720));
    assert_ne!(demos[0], demos[1], "different prompts give different pictures");
    let pool = sqlx::PgPool::connect(&surroundings.database_url).await.unwrap();
    let library = i64::try_from(providers::starter::library().len()).unwrap();
    eventually("the starter library is analysed", || async {
        let analysed = sqlx::query_scalar("SELECT count(*) FROM templates WHERE status = 'analyzed'");
        let analysed: i64 = analysed.fetch_one(&pool).await.unwrap();
        (analysed == library).then_some(())
    })
    .await;
    checker::check(&pool, &surroundings.nats_url, &Told::default(), &[]).await;
    let kinds: Vec<(String, i64)> = sqlx::query_as(
        "SELECT transaction_type, count(*) FROM credit_transactions \
         WHERE transaction_type IN ('hold', 'settle') GROUP BY 1 ORDER BY 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(kinds, [("hold".to_owned(), 20), ("settle".to_owned(), 20)]);
    let verified = surroundings.command(&["log", "verify"]).output().await.unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_refuses_to_start_without_a_long_secret() {
    let surroundings = Surroundings {
        database_url: servers::database().await,
        nats_url: "nats://127.0.0.1:1".to_owned(),
        data: servers::folder("secret"),
        extra: vec![("ROUTIX_SECRET_KEY", "short".to_owned())],
    };
    let refused = surroundings.command(&["serve"]).output().await.unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("ROUTIX_SECRET_KEY"));
}

#[test]
fn the_openapi_document_describes_every_route_and_only_problems_as_errors() {
    let document: Value = serde_json::from_str(&api::openapi_json()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    for path in [
        "/api/v1/auth/login",
        "/api/v1/chat/conversations/{conversation_id}/messages",
        "/api/v1/generation/create",
        "/api/v1/generation/{request_id}/status",
        "/api/v1/admin/templates",
        "/ws",
    ] {
        assert!(document["paths"][path].is_object(), "{path} is described");
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let is_error = status.starts_with('4') || status == "503" && !path.starts_with("/health");
                if is_error && status != "101" {
                    assert!(
                        answer["content"]["application/problem+json"].is_object(),
                        "{method} {path} answers {status} with a problem"
                    );
                }
            }
        }
    }
}
