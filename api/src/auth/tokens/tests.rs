//! Tokens that are remembered.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use domain::{SessionId, UserId};

use super::*;

fn keys() -> TokenKeys {
    TokenKeys::new(&MasterKey::from_secret(b"a secret of at least thirty-two bytes"))
}

/// The example of RFC 7515, appendix A.1: another program's token, with line breaks in its claims.
#[test]
fn signatures_are_those_of_the_standard() {
    signatures::install();
    let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let key = BASE64_URL_SAFE_NO_PAD.decode(key).unwrap();
    let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
                 eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let decoding = DecodingKey::from_secret(&key).unwrap();
    let is_good = |signature: &str, algorithm| {
        jsonwebtoken::crypto::verify(signature, token.as_bytes(), &decoding, algorithm).unwrap_or(false)
    };
    assert!(is_good(signature, Algorithm::HS256));
    assert!(!is_good(&signature[..40], Algorithm::HS256));
    assert!(!is_good("", Algorithm::HS256));
    assert!(!is_good(signature, Algorithm::HS512));
    let encoding = EncodingKey::from_secret(&key).unwrap();
    let signed = jsonwebtoken::crypto::sign(token.as_bytes(), &encoding, Algorithm::HS256).unwrap();
    assert_eq!(signed, signature);
}

#[test]
fn a_token_that_was_good_before_expires_and_does_no_other_ones_work() {
    let keys = keys();
    let now = clock::now();
    let (access, refresh) = keys
        .issue(&SessionTokens {
            session_id: SessionId(clock::new_id()),
            user_id: UserId(clock::new_id()),
            refresh_id: clock::new_id(),
            command_id: clock::new_id(),
            issued_at: now,
            refresh_expires_at: now + TimeDelta::days(7),
        })
        .unwrap();
    let is_good = |at, kind| keys.check_at(at, &access, kind).is_ok();
    let life = TimeDelta::from_std(ACCESS_LIFE).unwrap();
    assert!(is_good(now, TokenType::Access));
    assert!(is_good(now + life, TokenType::Access));
    assert!(!is_good(now + life + TimeDelta::seconds(1), TokenType::Access));
    assert!(!is_good(now, TokenType::Refresh));
    assert!(keys.check_at(now, &refresh, TokenType::Refresh).is_ok());
    assert!(keys.check_at(now, &refresh, TokenType::Access).is_err());
    // A token that differs in one letter of its signature is another one, whatever is remembered.
    let (signed, signature) = access.rsplit_once('.').unwrap();
    let letter = if signature.starts_with('A') { 'B' } else { 'A' };
    let forged = format!("{signed}.{letter}{}", &signature[1..]);
    assert!(keys.check(&forged, TokenType::Access).is_err());
}
