//! Tokens: JWTs of HS256 with type, issuer, audience and expiry.
//!
//! Owns their keys and their form. Whether the session is still open is asked in [`super::extract`].

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use commands::SessionTokens;
use domain::Timestamp;
use event_log::{MasterKey, clock};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::signatures;
use crate::problem::ApiError;

const ISSUER: &str = "routix";
const AUDIENCE: &str = "routix-api";
const ACCESS_LIFE: Duration = Duration::from_mins(30);
/// A client sends the same access token with every request. A kilobyte each, about.
const CHECKED_TOKENS_MAX: usize = 10_000;

/// Access tokens open the API, refresh tokens are exchanged for new ones; neither does the other's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenType {
    Access,
    Refresh,
}

/// The claims of both kinds of token. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub sub: Uuid,
    pub sid: Uuid,
    pub jti: Uuid,
    #[serde(rename = "type")]
    pub kind: TokenType,
    pub iss: String,
    pub aud: String,
    pub iat: i64,
    pub exp: i64,
}

/// Signs and checks tokens.
#[derive(Clone)]
pub struct TokenKeys {
    encoding: Arc<EncodingKey>,
    /// The first is the one that is signed with; the others are of master keys on their way out.
    decoding: Arc<[DecodingKey]>,
    validation: Arc<Validation>,
    /// Access tokens whose signature and form were found good: neither changes, only the time does.
    checked: Arc<Cache<Box<str>, Arc<Claims>>>,
}

impl TokenKeys {
    pub fn new(master: &MasterKey) -> Self {
        const NOT_EMPTY: &str = "a derived key is not empty";
        signatures::install();
        let keys = master.derive_all("sign tokens");
        let encoding = EncodingKey::from_secret(&master.derive("sign tokens")).expect(NOT_EMPTY);
        Self {
            encoding: Arc::new(encoding),
            decoding: keys.iter().map(|key| DecodingKey::from_secret(key).expect(NOT_EMPTY)).collect(),
            validation: Arc::new(validation()),
            checked: Arc::new(Cache::new(CHECKED_TOKENS_MAX)),
        }
    }

    /// The access and refresh token of a session. The same tokens give the same text.
    pub fn issue(&self, tokens: &SessionTokens) -> Result<(String, String), ApiError> {
        let issued = tokens.issued_at.timestamp();
        let access = self.sign(tokens, TokenType::Access, tokens.command_id, {
            issued + i64::try_from(ACCESS_LIFE.as_secs()).unwrap_or(i64::MAX)
        })?;
        let refresh =
            self.sign(tokens, TokenType::Refresh, tokens.refresh_id, tokens.refresh_expires_at.timestamp())?;
        Ok((access, refresh))
    }

    fn sign(&self, tokens: &SessionTokens, kind: TokenType, jti: Uuid, exp: i64) -> Result<String, ApiError> {
        let claims = Claims {
            sub: tokens.user_id.0,
            sid: tokens.session_id.0,
            jti,
            kind,
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            iat: tokens.issued_at.timestamp(),
            exp,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(|_| ApiError::Internal)
    }

    /// The claims of a token of `kind`, if it is ours and has not expired.
    pub fn check(&self, token: &str, kind: TokenType) -> Result<Arc<Claims>, ApiError> {
        self.check_at(clock::now(), token, kind)
    }

    fn check_at(&self, now: Timestamp, token: &str, kind: TokenType) -> Result<Arc<Claims>, ApiError> {
        self.checked
            .get(token)
            .or_else(|| {
                let claims = Arc::new(self.decode(token)?);
                if claims.kind == TokenType::Access {
                    self.checked.insert(token.into(), Arc::clone(&claims));
                }
                Some(claims)
            })
            .filter(|claims| claims.kind == kind && claims.exp >= now.timestamp())
            .ok_or(ApiError::Unauthenticated { detail: "Could not validate credentials" })
    }

    fn decode(&self, token: &str) -> Option<Claims> {
        let mut keys = self.decoding.iter();
        keys.find_map(|key| jsonwebtoken::decode::<Claims>(token, key, &self.validation).ok())
            .map(|data| data.claims)
    }
}

/// The claims that a token must have besides its subject.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.leeway = 0;
    validation
}

/// Seconds from now at which an access token ends, for clients that plan ahead.
pub fn access_expires_in() -> u64 {
    ACCESS_LIFE.as_secs()
}

/// A random text that cannot be guessed, for tickets.
pub fn random_text() -> String {
    format!("{}{}", clock::random_id().simple(), clock::random_id().simple())
}
