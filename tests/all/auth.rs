//! Accounts, sessions and tokens.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Sha256, Sha512};

use crate::support::client::{Answer, Client};
use crate::support::socket::Socket;
use crate::support::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_works_once_and_using_it_again_ends_the_session() {
    let world = World::start().await;
    let user = world.user().await;
    let refresh = |token: &str| json!({ "refresh_token": token });
    let first = user.refresh_token.clone();
    let next = world.anonymous().post("/api/v1/auth/refresh", &refresh(&first)).await.expect(200);
    let mut renewed = user.clone();
    renewed.adopt(&next);
    renewed.get("/api/v1/auth/me").await.expect(200);
    let reused = world.anonymous().post("/api/v1/auth/refresh", &refresh(&first)).await;
    reused.expect_problem(401, "refresh_token_reused");
    // Both tokens of the family are dead.
    renewed.get("/api/v1/auth/me").await.expect_problem(401, "unauthenticated");
    let dead = world.anonymous().post("/api/v1/auth/refresh", &refresh(&renewed.refresh_token)).await;
    dead.expect_problem(401, "refresh_token_invalid");
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_whose_answer_was_lost_can_be_repeated_under_its_key() {
    let world = World::start().await;
    let user = world.user().await;
    let body = json!({ "refresh_token": user.refresh_token });
    let first = world.anonymous().post_with_key("/api/v1/auth/refresh", &body, "k1").await.expect(200);
    let again = world.anonymous().post_with_key("/api/v1/auth/refresh", &body, "k1").await.expect(200);
    assert_eq!(first, again);
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_kills_the_tokens_and_closes_the_sockets() {
    let world = World::start().await;
    let user = world.user().await;
    let mut socket = Socket::open(&user, None).await;
    let out = user.post("/api/v1/auth/logout", &json!({})).await;
    assert_eq!(out.status, 204);
    socket.closed().await;
    user.get("/api/v1/auth/me").await.expect_problem(401, "unauthenticated");
    let refresh = json!({ "refresh_token": user.refresh_token });
    let dead = world.anonymous().post("/api/v1/auth/refresh", &refresh).await;
    dead.expect_problem(401, "refresh_token_invalid");
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let world = World::start().await;
    let user = world.user().await;
    let email = user.user["email"].as_str().unwrap();
    let upper = email.to_uppercase();
    let again = Client::log_in(&world.server.address, &world.told, &upper, "correct horse").await;
    assert_eq!(again.user["id"], user.user["id"]);
    let attempt = |email: &str| json!({ "email": email, "password": "wrong horse battery" });
    let wrong = world.anonymous().post("/api/v1/auth/login", &attempt(email)).await;
    let unknown = world.anonymous().post("/api/v1/auth/login", &attempt("nobody@example.com")).await;
    assert_eq!(wrong.header("www-authenticate"), Some("Bearer"));
    assert_eq!(
        wrong.expect_problem(401, "wrong_credentials"),
        unknown.expect_problem(401, "wrong_credentials")
    );
    let me = user.get("/api/v1/auth/me").await.expect(200);
    let fields: Vec<&String> = me.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["created_at", "credits", "email", "id", "subscription_tier", "username"]);
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_expired_and_misused_tokens_are_refused() {
    let world = World::start().await;
    let user = world.user().await;
    let me = "/api/v1/auth/me";
    let with = |token: &str| user.with_token(token);
    with(&user.refresh_token).get(me).await.expect_problem(401, "unauthenticated");
    let swapped = json!({ "refresh_token": user.token });
    world.anonymous().post("/api/v1/auth/refresh", &swapped).await.expect_problem(401, "unauthenticated");
    let claims = claims_of(&user.token);
    for forged in [forge(&claims), signed_otherwise(&claims), unsigned(&claims)] {
        with(&forged).get(me).await.expect_problem(401, "unauthenticated");
    }
    for expired in [true, false] {
        let mut claims = claims.clone();
        if expired {
            claims["exp"] = json!(claims["iat"].as_i64().unwrap() - 1);
        } else {
            claims["aud"] = json!("somebody else");
        }
        with(&sign(&claims)).get(me).await.expect_problem(401, "unauthenticated");
    }
    // The key is right and the claims are whole: only then it is a token.
    with(&sign(&claims)).get(me).await.expect(200);
    let anonymous = world.anonymous().get(me).await;
    anonymous.expect_problem(401, "unauthenticated");
    world.check(&[]).await;
}

fn claims_of(token: &str) -> Value {
    let claims = token.split('.').nth(1).expect("a token has three parts");
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

/// A token signed with a key that is not the server's.
fn forge(claims: &Value) -> String {
    token("HS256", claims, |text| hmac::<Hmac<Sha256>>(b"not the key", text))
}

/// A token signed as the server signs it.
fn sign(claims: &Value) -> String {
    token("HS256", claims, |text| hmac::<Hmac<Sha256>>(&server_key(), text))
}

/// A token signed with the server's key by an algorithm that the server does not use.
fn signed_otherwise(claims: &Value) -> String {
    token("HS512", claims, |text| hmac::<Hmac<Sha512>>(&server_key(), text))
}

/// A token of `alg: none`.
fn unsigned(claims: &Value) -> String {
    token("none", claims, |_| Vec::new())
}

fn server_key() -> [u8; 32] {
    event_log::MasterKey::from_secret(crate::support::process::SECRET.as_bytes()).derive("sign tokens")
}

fn token(algorithm: &str, claims: &Value, signature: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": algorithm, "typ": "JWT" })), part(claims));
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature(signed.as_bytes())))
}

fn hmac<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> Vec<u8> {
    <M as Mac>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn admin_routes_are_closed_to_users_and_to_nobody_in_particular() {
    let world = World::with(&[], &[]).await;
    let user = world.user().await;
    let document = user.get("/openapi.json").await.expect(200);
    let mut routes = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/api/v1/admin") {
            continue;
        }
        let path = path.replace("{template_id}", NIL).replace("{user_id}", NIL);
        for method in methods.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = user.send(user.request(method.clone(), &path)).await;
            answer.expect_problem(403, "admin_required");
            let nobody = world.anonymous();
            nobody.send(nobody.request(method, &path)).await.expect_problem(401, "unauthenticated");
            routes += 1;
        }
    }
    assert!(routes >= 8, "{routes} admin routes were tried");
    world.check(&[]).await;
}

const WRONG: &str = "wrong_credentials";
const NIL: &str = "00000000-0000-0000-0000-000000000000";

#[tokio::test(flavor = "multi_thread")]
async fn logins_and_orders_are_limited_where_limits_are_on() {
    let world = World::with(&[("ROUTIX_RATE_LIMITS", "true")], &["all"]).await;
    let user = world.user().await;
    let body = json!({ "prompt": "again", "algorithm_id": "routix_lightning" });
    for n in 0..10 {
        let key = format!("order {n}");
        user.post_with_key("/api/v1/generation/create", &body, &key).await.expect(201);
        // A repeated key does not count.
        user.post_with_key("/api/v1/generation/create", &body, &key).await.expect(201);
    }
    let forged = user
        .request(Method::POST, "/api/v1/generation/create")
        .json(&body)
        .header("X-Forwarded-For", "203.0.113.9");
    let refused = user.send(forged).await;
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds));
    assert!(refused.header("ratelimit").is_some());
    refused.expect_problem(429, "rate_limited");
    // A login counts for the address that it comes from, whatever the client says about it and whatever comes of it.
    let login = json!({ "email": "nobody@example.com", "password": "not this one" });
    for n in 0..10 {
        let forged = format!("203.0.113.{n}");
        log_in_from(&world, &forged, &login).await.expect_problem(401, WRONG);
    }
    log_in_from(&world, "203.0.113.99", &login).await.expect_problem(429, "rate_limited");
    world.check(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_logins_are_limited_by_the_address_that_the_proxy_names() {
    let limited = [("ROUTIX_RATE_LIMITS", "true"), ("ROUTIX_TRUSTED_PROXIES", "1")];
    let world = World::with(&limited, &["all"]).await;
    let login = json!({ "email": "nobody@example.com", "password": "not this one" });
    for n in 0..10 {
        // The proxy adds the last entry; before it stands what the client likes.
        let forwarded = format!("198.51.100.{n}, 203.0.113.7");
        log_in_from(&world, &forwarded, &login).await.expect_problem(401, WRONG);
    }
    log_in_from(&world, "198.51.100.99, 203.0.113.7", &login).await.expect_problem(429, "rate_limited");
    log_in_from(&world, "203.0.113.8", &login).await.expect_problem(401, WRONG);
    world.check(&[]).await;
}

async fn log_in_from(world: &World, forwarded_for: &str, login: &Value) -> Answer {
    let nobody = world.anonymous();
    let request = nobody.request(Method::POST, "/api/v1/auth/login").json(login);
    nobody.send(request.header("X-Forwarded-For", forwarded_for)).await
}
