//! Who calls: bearer tokens of HS256 with type, issuer, audience and expiry. A token is good only while its
//! session is open and its account is active.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use commands::SessionTokens;
use domain::user::{Role, User};
use domain::{SessionId, Timestamp, UserId};
use event_log::{Actor, MasterKey, clock};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::App;
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
        let keys = master.derive_all("sign tokens");
        Self {
            encoding: Arc::new(EncodingKey::from_secret(&master.derive("sign tokens"))),
            decoding: keys.iter().map(|key| DecodingKey::from_secret(key)).collect(),
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

/// What a token must say besides who it is for.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.leeway = 0;
    validation
}

/// The user behind a request.
#[derive(Debug, Clone)]
pub struct CurrentUser {
    pub user_id: UserId,
    pub session_id: SessionId,
    pub role: Role,
}

impl CurrentUser {
    pub fn actor(&self) -> Actor {
        commands::actor_of(self.user_id, self.role)
    }

    /// The user of an access token, if session and account are in order.
    pub async fn of_token(app: &App, token: &str) -> Result<Self, ApiError> {
        let claims = app.tokens().check(token, TokenType::Access)?;
        Self::of_session(app, UserId(claims.sub), SessionId(claims.sid)).await
    }

    /// The user of a session, if it is open and the account is active.
    pub async fn of_session(app: &App, user_id: UserId, session_id: SessionId) -> Result<Self, ApiError> {
        if !app.commands().session_is_open(session_id).await? {
            return Err(ApiError::Unauthenticated { detail: "The session has ended" });
        }
        let mut user = app.log().load_cached::<User>(user_id).await?.state;
        if !matches!(user, User::Active(_)) {
            user = app.log().load::<User>(user_id).await?.state;
        }
        match user {
            User::Active(profile) => Ok(Self { user_id, session_id, role: profile.role }),
            User::Deactivated(_) | User::Erased { .. } | User::Unregistered => {
                Err(ApiError::Unauthenticated { detail: "Could not validate credentials" })
            }
        }
    }
}

/// The token of an `Authorization: Bearer` header.
pub fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

impl FromRequestParts<App> for CurrentUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let token = bearer(parts).ok_or(ApiError::Unauthenticated { detail: "Not authenticated" })?;
        Self::of_token(app, token).await
    }
}

/// A user who is an admin.
#[derive(Debug, Clone)]
pub struct AdminUser(pub CurrentUser);

impl FromRequestParts<App> for AdminUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let user = CurrentUser::from_request_parts(parts, app).await?;
        match user.role {
            Role::Admin => Ok(Self(user)),
            Role::User => Err(ApiError::AdminRequired),
        }
    }
}

/// Seconds from now at which an access token ends, for clients that plan ahead.
pub fn access_expires_in() -> u64 {
    ACCESS_LIFE.as_secs()
}

/// A random text that cannot be guessed, for tickets.
pub fn random_text() -> String {
    format!("{}{}", clock::random_id().simple(), clock::random_id().simple())
}
