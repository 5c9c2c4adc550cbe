//! The token that opens logs: exchanged for the caller's own credentials, kept in memory, renewed before it ends
//! (docs/reference/logs.md#access-token). It carries every right of its owner, so it is never written down.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::{builder::Client, error::ClientError};
use crate::{
    api::logs::{ExchangeToken, TOKEN_LIFETIME},
    model::Secret,
};

/// How long before its end a token is replaced.
const RENEW_BEFORE_EXPIRY: Duration = Duration::from_mins(1);

/// The token of one caller.
#[derive(Debug)]
pub struct TokenCache {
    client: Client,
    cached: Mutex<Option<CachedToken>>,
}

#[derive(Clone, Debug)]
struct CachedToken {
    token: Secret,
    /// Until when it is used.
    expires_at: Timestamp,
}

impl TokenCache {
    /// Tokens for whoever `exchange` is: it sends to the host of the exchange.
    #[must_use]
    pub fn new(exchange: Client) -> Self {
        Self {
            client: exchange,
            cached: Mutex::new(None),
        }
    }

    /// The token, exchanged for when there is none or it is about to end. Many may ask at once; one exchange is made.
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

    /// Another token: the service has refused `spent`.
    pub async fn renew(&self, spent: &Secret) -> Result<Secret, ClientError> {
        {
            let mut held = self.cached.lock().await;
            // Somebody else may have noticed before.
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
                "" => "it holds no token".to_owned(),
                error => format!("it holds no token, but an error: {error}"),
            };
            return Err(ClientError::InvalidResponse {
                call: self.client.describe_call(&ExchangeToken)?,
                status: answered.status,
                reason: why,
                request_id: answered.request_id,
            });
        };
        let ends = answered.value.expires_at;
        let ends = ends.unwrap_or_else(|| now.saturating_add(TOKEN_LIFETIME).unwrap_or(Timestamp::MAX));
        // Where our clock is ahead of the service's, a fresh token looks spent; a minute it is good for in any case, and
        // when it is not, the refusal is noticed.
        let least = now.saturating_add(RENEW_BEFORE_EXPIRY).unwrap_or(Timestamp::MAX);
        let until = ends.saturating_sub(RENEW_BEFORE_EXPIRY).unwrap_or(ends).max(least);
        Ok(CachedToken {
            token,
            expires_at: until,
        })
    }
}
