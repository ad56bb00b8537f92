//! The port to the OAuth 2.0 (3LO) authority, and the port through which clients get a token that works.

use async_trait::async_trait;

use crate::{ConnectionId, Result, Secret, connection::Grant, site::Site};

/// Atlassian's OAuth 2.0 (3LO) service (facts.md §3).
#[async_trait]
pub trait Authority: Send + Sync {
    /// Where to send the person. `redirect_uri` must equal the one registered with Atlassian.
    async fn authorize_url(&self, scopes: &[String], state: &str, redirect_uri: &str) -> Result<String>;

    /// A code for a grant.
    async fn exchange(&self, code: &str, redirect_uri: &str) -> Result<Grant>;

    /// A new grant for a refresh token, which is dead once this returns (but may be sent again for ten minutes).
    /// `Unauthenticated`: the token is not known any more. `Misconfigured`: our client id or secret is wrong.
    /// `Unavailable`: try again with the same token.
    async fn refresh(&self, refresh_token: &Secret) -> Result<Grant>;

    /// The Confluence sites that the grant reaches, each once.
    async fn sites(&self, access_token: &Secret) -> Result<Vec<Site>>;
}

/// Gives an access token of a connection that works, refreshing it when needed, once at a time.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// A token that is valid for at least a minute. `refused` is one that Atlassian just refused: it is not given again.
    async fn access_token(&self, connection: ConnectionId, refused: Option<&Secret>) -> Result<Secret>;
}
