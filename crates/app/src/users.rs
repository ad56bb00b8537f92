//! Accounts: the first administrator, signing in, sessions and API keys.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use domain::{
    ApiKeyId, Error, ErrorKind, IndexId, Result, Secret, Timestamp,
    feed::{FeedState, Park},
    store::{AtlassianApp, NewApiKey, NewUser},
    sync_run::Trigger,
    user::{ApiKey, KeyLimits, KeyRight, Role, SESSION_LIFE, User},
};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{App, Caller, Via, token};

/// The shortest password (NIST SP 800-63B asks for 8; administrators get 10).
pub const PASSWORD_CHARS_MIN: usize = 10;
/// The longest: hashing must stay cheap for what strangers send.
pub const PASSWORD_BYTES_MAX: usize = 1_000;
/// Longest email and name, in characters.
const NAME_CHARS_MAX: usize = 200;
/// Failed sign-ins of one email before it must wait.
const ATTEMPTS_MAX: u32 = 8;
/// How long it must wait then.
const ATTEMPTS_WINDOW: Duration = Duration::from_secs(60);
/// Emails remembered for that at the same time.
const ATTEMPTS_EMAILS_MAX: usize = 10_000;
/// The most API keys of one person.
const API_KEYS_MAX: usize = 100;
/// The most indexes of one API key.
const KEY_INDEXES_MAX: usize = 100;
/// Every API key begins so: secret scanners can find it.
const API_KEY_PREFIX: &str = "circuit_";

/// Passwords hashed at once: each takes a core and 19 MiB, and strangers can ask for it.
const HASHES_AT_ONCE: usize = 2;
/// How long a sign-in waits for its turn.
const TURN_WAIT_MAX: Duration = Duration::from_secs(10);

/// Slows down who guesses passwords, and keeps guessing from taking the machine.
pub(crate) struct SignInGuard {
    attempts: Mutex<BTreeMap<String, (u32, Timestamp)>>,
    turns: Semaphore,
}

impl Default for SignInGuard {
    fn default() -> Self {
        Self {
            attempts: Mutex::default(),
            turns: Semaphore::new(HASHES_AT_ONCE),
        }
    }
}

impl SignInGuard {
    /// Counts an attempt before its password is looked at: a hundred at once are a hundred.
    fn begin(&self, email: &str, now: Timestamp) -> Result<()> {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        if attempts.len() >= ATTEMPTS_EMAILS_MAX && !attempts.contains_key(email) {
            attempts.retain(|_, (_, last)| now.is_within(ATTEMPTS_WINDOW, *last));
            // Still full: somebody tries thousands of emails. The first of them make room.
            if attempts.len() >= ATTEMPTS_EMAILS_MAX {
                attempts.pop_first();
            }
        }
        let (count, last) = attempts.entry(email.to_owned()).or_insert((0, now));
        if !now.is_within(ATTEMPTS_WINDOW, *last) {
            *count = 0;
        }
        if *count >= ATTEMPTS_MAX {
            return Err(Error::new(
                ErrorKind::RateLimited {
                    retry_after: ATTEMPTS_WINDOW,
                },
                "too many failed sign-ins for this account; wait a minute and try again",
            ));
        }
        (*count, *last) = (*count + 1, now);
        Ok(())
    }

    fn succeeded(&self, email: &str) {
        self.attempts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(email);
    }

    /// A place among those whose password is hashed now.
    async fn turn(&self) -> Result<SemaphorePermit<'_>> {
        let busy = || {
            Error::new(
                ErrorKind::RateLimited {
                    retry_after: TURN_WAIT_MAX,
                },
                "many people are signing in at this moment; try again in a few seconds",
            )
        };
        match tokio::time::timeout(TURN_WAIT_MAX, self.turns.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(busy()),
        }
    }
}

impl App {
    /// Whether nobody has an account yet: the next visitor makes the administrator's.
    pub async fn needs_set_up(&self) -> Result<bool> {
        Ok(!self.store().any_user().await?)
    }

    /// Makes the first administrator and signs them in. `Conflict` once there is any account.
    pub async fn set_up(&self, email: &str, name: &str, password: &Secret) -> Result<Secret> {
        let user = self.create(email, name, password, Role::Admin, true).await?;
        self.open_session(&user).await
    }

    async fn create(&self, email: &str, name: &str, password: &Secret, role: Role, first_only: bool) -> Result<User> {
        let email = checked_email(email)?;
        // Asked before the costly part: strangers can send this form for ever.
        if first_only && self.store().any_user().await? {
            return Err(Error::conflict("there is an account already; sign in"));
        }
        let name = match name.trim() {
            "" => email.split('@').next().unwrap_or(&email).to_owned(),
            name => name.chars().take(NAME_CHARS_MAX).collect(),
        };
        let password = checked_password(password)?;
        let turn = self.0.sign_ins.turn().await?;
        let password_hash = hashed(password).await?;
        drop(turn);
        let user = NewUser {
            email: &email,
            name: &name,
            password_hash: &password_hash,
            role,
            first_only,
        };
        self.store().create_user(&user, self.now()).await
    }

    /// A new session's token for the right email and password.
    pub async fn sign_in(&self, email: &str, password: &Secret) -> Result<Secret> {
        let email = email.trim().to_lowercase();
        let wrong = || Error::unauthenticated("the email or the password is wrong");
        if password.expose().len() > PASSWORD_BYTES_MAX || email.chars().count() > NAME_CHARS_MAX {
            return Err(wrong());
        }
        self.0.sign_ins.begin(&email, self.now())?;
        let found = self.store().user_by_email(&email).await?;
        // An unknown email costs as much time as a wrong password, so that neither tells which it was.
        let hash = found.as_ref().map_or(NOBODYS_HASH, |(_, hash)| hash).to_owned();
        let turn = self.0.sign_ins.turn().await?;
        let right = verified(password.clone(), hash).await?;
        drop(turn);
        match found {
            Some((user, _)) if right => {
                self.0.sign_ins.succeeded(&email);
                self.open_session(&user).await
            }
            _ => Err(wrong()),
        }
    }

    async fn open_session(&self, user: &User) -> Result<Secret> {
        let session = token::random();
        let now = self.now();
        self.store()
            .create_session(&token::digest(session.expose()), user.id, now, now.plus(SESSION_LIFE))
            .await?;
        Ok(session)
    }

    /// Who holds this session, if it is alive.
    pub async fn caller_by_session(&self, session: &str) -> Result<Option<Caller>> {
        let digest = token::digest(session);
        let user = self.store().session(&digest, self.now()).await?;
        Ok(user.map(|user| Caller {
            user,
            via: Via::Session { digest },
        }))
    }

    pub async fn sign_out(&self, caller: &Caller) -> Result<()> {
        match &caller.via {
            Via::Session { digest } => self.store().delete_session(digest).await,
            Via::ApiKey(_) | Via::Machine => Ok(()),
        }
    }

    /// Who holds this API key. `Unauthenticated` once it is over.
    pub async fn caller_by_api_key(&self, key: &str) -> Result<Option<Caller>> {
        if !key.starts_with(API_KEY_PREFIX) {
            return Ok(None);
        }
        let found = self.store().user_by_api_key(&token::digest(key), self.now()).await?;
        let Some((user, key)) = found else { return Ok(None) };
        if let Some(at) = key.limits.expires_at.filter(|_| key.limits.are_over(self.now())) {
            return Err(Error::unauthenticated(format!(
                "this API key expired at {at}; make a new one on the page Account"
            )));
        }
        let via = Via::ApiKey(key.limits);
        Ok(Some(Caller { user, via }))
    }

    /// A new key, shown this once. With a key, none is made that reaches further.
    pub async fn create_api_key(&self, caller: &Caller, name: &str, limits: &KeyLimits) -> Result<(ApiKey, Secret)> {
        caller.must_change()?;
        self.check_limits(caller, limits).await?;
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
            return Err(Error::invalid(format!(
                "an API key needs a name of at most {NAME_CHARS_MAX} characters"
            )));
        }
        if self.store().api_keys(caller.user.id).await?.len() >= API_KEYS_MAX {
            return Err(Error::conflict(format!(
                "there are {API_KEYS_MAX} API keys already; delete one first"
            )));
        }
        let key = Secret::new(format!("{API_KEY_PREFIX}{}", token::random().expose()));
        let prefix: String = key.expose().chars().take(API_KEY_PREFIX.len() + 6).collect();
        let digest = token::digest(key.expose());
        let new = NewApiKey {
            user: caller.user.id,
            name,
            prefix: &prefix,
            digest: &digest,
            limits,
        };
        let kept = self.store().create_api_key(&new, self.now()).await?;
        Ok((kept, key))
    }

    async fn check_limits(&self, caller: &Caller, limits: &KeyLimits) -> Result<()> {
        if limits.right == KeyRight::Manage && caller.user.role != Role::Admin {
            return Err(Error::forbidden(
                "only an administrator makes an API key that may manage; make one that may read",
            ));
        }
        if caller.limits().is_some_and(|own| !limits.are_within(own)) {
            return Err(Error::forbidden(
                "an API key makes no key that reaches further than itself: in indexes, in its right or in time",
            ));
        }
        if limits.are_over(self.now()) {
            return Err(Error::invalid("an API key expires in the future, or never"));
        }
        let Some(indexes) = &limits.indexes else { return Ok(()) };
        if indexes.is_empty() || indexes.len() > KEY_INDEXES_MAX {
            return Err(Error::invalid(format!(
                "an API key is for 1 to {KEY_INDEXES_MAX} indexes, or for all when none is named"
            )));
        }
        let known: BTreeSet<IndexId> = self.store().indexes().await?.iter().map(|index| index.id).collect();
        match indexes.iter().find(|index| !known.contains(index)) {
            Some(index) => Err(Error::invalid(format!("index {index} does not exist"))),
            None => Ok(()),
        }
    }

    /// The caller's own keys; with a key of certain indexes, those of no others.
    pub async fn api_keys(&self, caller: &Caller) -> Result<Vec<ApiKey>> {
        let mut keys = self.store().api_keys(caller.user.id).await?;
        keys.retain(|key| caller.limits().is_none_or(|own| key.limits.indexes_are_within(own)));
        Ok(keys)
    }

    pub async fn delete_api_key(&self, caller: &Caller, id: ApiKeyId) -> Result<()> {
        caller.must_change()?;
        if !self.api_keys(caller).await?.iter().any(|key| key.id == id) {
            return Err(Error::not_found(format!("API key {id} does not exist")));
        }
        self.store().delete_api_key(caller.user.id, id).await
    }

    /// Whether Circuit knows its Atlassian app, by configuration or from an administrator; the client id, for showing.
    pub async fn atlassian_app(&self, caller: &Caller) -> Result<AtlassianAppState> {
        caller.must_manage_everything()?;
        if self.0.parts.atlassian_app_configured {
            return Ok(AtlassianAppState::Configured);
        }
        Ok(match self.store().atlassian_app().await? {
            Some(app) => AtlassianAppState::Kept {
                client_id: app.client_id,
            },
            None => AtlassianAppState::Missing,
        })
    }

    /// Keeps client id and secret of the Atlassian app.
    pub async fn set_atlassian_app(&self, caller: &Caller, client_id: &str, client_secret: &Secret) -> Result<()> {
        caller.must_manage_everything()?;
        if self.0.parts.atlassian_app_configured {
            return Err(Error::conflict(
                "the Atlassian app is set by configuration; change it there",
            ));
        }
        let client_id = client_id.trim();
        let valid = |text: &str| !text.is_empty() && text.len() <= 500 && text.chars().all(|c| c.is_ascii_graphic());
        if !valid(client_id) || !valid(client_secret.expose().trim()) {
            return Err(Error::invalid(
                "the client id and the secret are one word each; copy them from the Atlassian developer console",
            ));
        }
        let client_secret = Secret::new(client_secret.expose().trim());
        self.store()
            .set_atlassian_app(&AtlassianApp {
                client_id: client_id.to_owned(),
                client_secret,
            })
            .await?;
        self.try_misconfigured_again().await
    }

    /// Feeds that waited for the operator are tried with what was just entered.
    async fn try_misconfigured_again(&self) -> Result<()> {
        for feed in self.store().all_feeds().await? {
            if let FeedState::Parked(Park::Misconfigured { .. }) = feed.state {
                self.store().unpark_feed(feed.id).await?;
                self.queue(feed.id, Trigger::Schedule).await?;
            }
        }
        Ok(())
    }
}

/// Where the Atlassian app's client id and secret come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtlassianAppState {
    /// From the configuration.
    Configured,
    /// From an administrator.
    Kept {
        client_id: String,
    },
    Missing,
}

/// The Argon2id hash of nothing anybody knows, with the default parameters.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$Y2lyY3VpdC1ub2JvZHk$Fs0bLwqmWhJjcOxWl7H1N0dGAVkjlyzxG1IOAlcTpQI";

async fn hashed(password: Secret) -> Result<String> {
    blocking(move || {
        Argon2::default()
            .hash_password(password.expose().as_bytes())
            .map(|hash: PasswordHash| hash.to_string())
            .map_err(|error| Error::internal("a password could not be hashed").because(error.to_string()))
    })
    .await?
}

async fn verified(password: Secret, hash: String) -> Result<bool> {
    blocking(move || {
        PasswordHash::new(&hash).is_ok_and(|hash| {
            Argon2::default()
                .verify_password(password.expose().as_bytes(), &hash)
                .is_ok()
        })
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::internal("hashing a password failed").because(error))
}

fn checked_email(email: &str) -> Result<String> {
    let email = email.trim().to_lowercase();
    let shaped = email
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    if !shaped || email.chars().count() > NAME_CHARS_MAX || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Error::invalid("an email address looks like name@example.org"));
    }
    Ok(email)
}

fn checked_password(password: &Secret) -> Result<Secret> {
    if password.expose().chars().count() < PASSWORD_CHARS_MIN {
        return Err(Error::invalid(format!(
            "a password needs at least {PASSWORD_CHARS_MIN} characters"
        )));
    }
    if password.expose().len() > PASSWORD_BYTES_MAX {
        return Err(Error::invalid(format!(
            "a password has at most {PASSWORD_BYTES_MAX} bytes"
        )));
    }
    Ok(password.clone())
}
