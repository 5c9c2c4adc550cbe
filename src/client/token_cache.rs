//! Token for the logs API: obtained with the caller's API key, cached in memory, and renewed before it expires
//! (docs/reference/logs.md#access-token). It carries all permissions of its owner, so it is never written to disk.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::{builder::Client, error::ClientError};
use crate::{
    api::logs::{ExchangeToken, TOKEN_LIFETIME},
    model::Secret,
};

/// Time before the expiry at which a token is renewed.
const RENEW_BEFORE_EXPIRY: Duration = Duration::from_mins(1);

/// Cached token of one caller.
#[derive(Debug)]
pub struct TokenCache {
    client: Client,
    cached: Mutex<Option<CachedToken>>,
}

#[derive(Clone, Debug)]
struct CachedToken {
    token: Secret,
    /// Time until which the token is used.
    expires_at: Timestamp,
}

impl TokenCache {
    /// Creates a cache; `exchange` holds the caller's API key and sends to the host of the token exchange.
    #[must_use]
    pub fn new(exchange: Client) -> Self {
        Self {
            client: exchange,
            cached: Mutex::new(None),
        }
    }

    /// Returns the token, and obtains a new one if it is missing or about to expire. Concurrent callers share one
    /// exchange.
    pub async fn current(&self) -> Result<Secret, ClientError> {
        let mut held = self.cached.lock().await;
        let now = self.client.clock().now();
        if let Some(held) = held.as_ref().filter(|held| now < held.expires_at) {
            return Ok(held.token.clone());
        }
        let fresh = self.exchange(now).await?;
        let token = fresh.token.clone();
        *held = Some(fresh);
        Ok(token)
    }

    /// Obtains a new token, because the service rejected `spent`.
    pub async fn renew(&self, spent: &Secret) -> Result<Secret, ClientError> {
        {
            let mut held = self.cached.lock().await;
            // Another task may have renewed it already.
            if held.as_ref().is_some_and(|held| held.token.expose() == spent.expose()) {
                *held = None;
            }
        }
        self.current().await
    }

    async fn exchange(&self, now: Timestamp) -> Result<CachedToken, ClientError> {
        let answered = self.client.send(&ExchangeToken).await?;
        let Some(token) = answered.value.token.filter(|token| !token.expose().is_empty()) else {
            let why = match answered.value.error.as_str() {
                "" => "it contains no token".to_owned(),
                error => format!("it contains an error instead of a token: {error}"),
            };
            return Err(ClientError::InvalidResponse {
                call: self.client.describe_call(&ExchangeToken)?,
                status: answered.status,
                reason: why,
                request_id: answered.request_id,
            });
        };
        self.client.secrets().add(token.expose());
        let ends = answered.value.expires_at;
        let ends = ends.unwrap_or_else(|| now.saturating_add(TOKEN_LIFETIME).unwrap_or(Timestamp::MAX));
        // If the local clock is ahead of the service's, a new token appears expired. Use it for a minute in any case; a
        // rejected one is renewed.
        let least = now.saturating_add(RENEW_BEFORE_EXPIRY).unwrap_or(Timestamp::MAX);
        let until = ends.saturating_sub(RENEW_BEFORE_EXPIRY).unwrap_or(ends).max(least);
        Ok(CachedToken {
            token,
            expires_at: until,
        })
    }
}
