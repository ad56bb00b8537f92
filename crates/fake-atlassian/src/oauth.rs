//! Given consents, codes and refresh tokens, gives tokens: Atlassian's OAuth 2.0 (3LO) with its rotation rules.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use crate::{
    answer::Answer,
    chance,
    moment::{DAY_MS, HOUR_MS, MINUTE_MS},
};

pub const CODE_LIFE_MS: i64 = 10 * MINUTE_MS;
pub const ACCESS_LIFE_MS: i64 = HOUR_MS;
/// For so long a refresh token that was exchanged may be exchanged again.
pub const LEEWAY_MS: i64 = 10 * MINUTE_MS;
/// A refresh token dies when it has not been used for so long.
pub const INACTIVITY_MS: i64 = 90 * DAY_MS;
/// However well it is used, a consent's refresh tokens die after so long.
pub const ABSOLUTE_MS: i64 = 365 * DAY_MS;
/// Expired tokens are forgotten once there are so many of their kind.
const TOKENS_MAX: usize = 100_000;

/// What a person let the app do: one for each account, over all sites.
#[derive(Clone, Debug)]
pub struct Grant {
    pub scopes: BTreeSet<String>,
    pub sites: BTreeSet<String>,
}

#[derive(Debug)]
struct Code {
    account: String,
    redirect_uri: String,
    issued_at: i64,
}

#[derive(Debug)]
struct Refresh {
    family: u64,
    used_at: i64,
    /// When it was first exchanged.
    rotated_at: Option<i64>,
}

impl Refresh {
    /// Exchanged, and the time in which that may be done again is over.
    fn spent(&self, now: i64) -> bool {
        self.rotated_at.is_some_and(|rotated_at| now - rotated_at > LEEWAY_MS)
    }
}

#[derive(Debug)]
struct Family {
    account: String,
    begun_at: i64,
    alive: bool,
}

#[derive(Debug)]
struct Access {
    account: String,
    /// None for a token handed out without consent, which has every scope on every site and does not expire.
    expires_at: Option<i64>,
}

/// Who a bearer token stands for and what it may.
#[derive(Clone, Debug)]
pub struct Bearer {
    pub account: String,
    /// None may everything everywhere.
    pub grant: Option<Grant>,
}

impl Bearer {
    pub fn includes(&self, cloud_id: &str) -> bool {
        self.grant.as_ref().is_none_or(|grant| grant.sites.contains(cloud_id))
    }

    pub fn has_scope(&self, scope: &str) -> bool {
        self.grant.as_ref().is_none_or(|grant| grant.scopes.contains(scope))
    }
}

/// The app that this Atlassian knows.
#[derive(Clone, Debug)]
pub struct Client {
    pub id: String,
    pub secret: String,
}

#[derive(Debug)]
pub struct OAuth {
    client: Client,
    seed: u64,
    issued: u64,
    grants: BTreeMap<String, Grant>,
    codes: HashMap<String, Code>,
    families: BTreeMap<u64, Family>,
    refreshes: HashMap<String, Refresh>,
    accesses: HashMap<String, Access>,
    /// Where an admin must authorize the app before anybody can.
    pub blocked_sites: BTreeSet<String>,
    /// Where every call is answered as to nobody.
    pub anonymous_sites: BTreeSet<String>,
}

impl OAuth {
    pub fn new(client: Client, seed: u64) -> Self {
        Self {
            client,
            seed,
            issued: 0,
            grants: BTreeMap::new(),
            codes: HashMap::new(),
            families: BTreeMap::new(),
            refreshes: HashMap::new(),
            accesses: HashMap::new(),
            blocked_sites: BTreeSet::new(),
            anonymous_sites: BTreeSet::new(),
        }
    }

    pub fn client_id(&self) -> &str {
        &self.client.id
    }

    fn word(&mut self, purpose: &str) -> String {
        self.issued += 1;
        chance::hex(&[
            purpose,
            &self.client.secret,
            &self.seed.to_string(),
            &self.issued.to_string(),
        ])
    }

    /// A consent: the account's grant is replaced, whatever it was, and a code is given.
    pub fn consent(
        &mut self,
        account: &str,
        scopes: BTreeSet<String>,
        sites: BTreeSet<String>,
        redirect_uri: &str,
        now: i64,
    ) -> String {
        let known = self
            .grants
            .get(account)
            .map(|grant| grant.sites.clone())
            .unwrap_or_default();
        let sites = sites.into_iter().chain(known).collect();
        self.grants.insert(account.to_owned(), Grant { scopes, sites });
        let code = self.word("code");
        self.codes.retain(|_, code| now - code.issued_at <= CODE_LIFE_MS);
        self.codes.insert(
            code.clone(),
            Code {
                account: account.to_owned(),
                redirect_uri: redirect_uri.to_owned(),
                issued_at: now,
            },
        );
        code
    }

    /// A person takes the app's access back: nothing works any more, anywhere.
    pub fn withdraw(&mut self, account: &str) -> bool {
        for family in self.families.values_mut().filter(|family| family.account == account) {
            family.alive = false;
        }
        self.accesses
            .retain(|_, access| access.account != account || access.expires_at.is_none());
        self.grants.remove(account).is_some()
    }

    /// All refresh tokens of the account die, as after a change of its password; access tokens live out their hour.
    pub fn end_refreshing(&mut self, account: &str) -> bool {
        let mut had = false;
        for family in self.families.values_mut().filter(|family| family.account == account) {
            had |= family.alive;
            family.alive = false;
        }
        had
    }

    /// A consent given elsewhere, by the same person to the same app, overrides the scopes of the grant.
    pub fn override_scopes(&mut self, account: &str, scopes: BTreeSet<String>) -> bool {
        let grant = self.grants.get_mut(account);
        grant.map(|grant| grant.scopes = scopes).is_some()
    }

    /// An admin takes the app off the site: no grant reaches it until it is consented to again.
    pub fn leave(&mut self, cloud_id: &str) -> usize {
        let left = self.grants.values_mut().map(|grant| grant.sites.remove(cloud_id));
        left.filter(|left| *left).count()
    }

    /// The app gets a new secret, which whoever runs it does not know yet.
    pub fn change_secret(&mut self, secret: String) {
        self.client.secret = secret;
    }

    pub fn token_for(&mut self, account: &str) -> String {
        let token = chance::hex(&["ready token", &self.client.secret, &self.seed.to_string(), account]);
        self.accesses.insert(
            token.clone(),
            Access {
                account: account.to_owned(),
                expires_at: None,
            },
        );
        token
    }

    pub fn bearer(&self, token: &str, now: i64) -> Option<Bearer> {
        let access = self.accesses.get(token)?;
        let account = access.account.clone();
        match access.expires_at {
            None => Some(Bearer { account, grant: None }),
            Some(expires_at) if expires_at > now => {
                let grant = self.grants.get(&account)?.clone();
                Some(Bearer {
                    account,
                    grant: Some(grant),
                })
            }
            Some(_) => None,
        }
    }

    /// `POST /oauth/token`
    pub fn exchange(&mut self, asked: &Value, refresh_error: &str, now: i64) -> Answer {
        let word = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
        if word("client_id") != self.client.id || word("client_secret") != self.client.secret {
            return refusal(401, "access_denied", "Unauthorized");
        }
        match word("grant_type").as_str() {
            "authorization_code" => self.exchange_code(&word("code"), &word("redirect_uri"), now),
            "refresh_token" => self.exchange_refresh(&word("refresh_token"), refresh_error, now),
            "" => refusal(400, "invalid_request", "Missing required parameter: grant_type"),
            _ => refusal(400, "unsupported_grant_type", "Unsupported grant type"),
        }
    }

    fn exchange_code(&mut self, code: &str, redirect_uri: &str, now: i64) -> Answer {
        let invalid = || refusal(400, "invalid_request", "authorization_code is invalid");
        // Taken out whatever comes of it: a code is tried once.
        let Some(code) = self.codes.remove(code) else {
            return invalid();
        };
        if now - code.issued_at > CODE_LIFE_MS || code.redirect_uri != redirect_uri {
            return invalid();
        }
        let Some(grant) = self.grants.get(&code.account).cloned() else {
            return invalid();
        };
        let family = self.families.len() as u64;
        self.families.insert(
            family,
            Family {
                account: code.account.clone(),
                begun_at: now,
                alive: true,
            },
        );
        self.tokens(family, &code.account, &grant, now)
    }

    fn exchange_refresh(&mut self, token: &str, refresh_error: &str, now: i64) -> Answer {
        let refused = || match refresh_error {
            "invalid_grant" => refusal(403, "invalid_grant", "Unknown or invalid refresh token."),
            _ => refusal(403, "unauthorized_client", "refresh_token is invalid"),
        };
        let stolen = self.refreshes.get(token).is_some_and(|refresh| refresh.spent(now));
        if !self.refresh_lives(token, now) {
            if let Some(family) = self.family_of(token).filter(|_| stolen) {
                // Somebody holds a token that was already spent: all that came from it is taken for stolen.
                family.alive = false;
            }
            return refused();
        }
        let Some(refresh) = self.refreshes.get_mut(token) else {
            return refused();
        };
        refresh.rotated_at.get_or_insert(now);
        refresh.used_at = now;
        let number = refresh.family;
        let Some((account, grant)) = self.granted(number) else {
            return refused();
        };
        self.tokens(number, &account, &grant, now)
    }

    fn family_of(&mut self, token: &str) -> Option<&mut Family> {
        let number = self.refreshes.get(token)?.family;
        self.families.get_mut(&number)
    }

    fn granted(&self, family: u64) -> Option<(String, Grant)> {
        let account = &self.families.get(&family)?.account;
        Some((account.clone(), self.grants.get(account)?.clone()))
    }

    /// Whether the refresh token could be exchanged now.
    pub fn refresh_lives(&self, token: &str, now: i64) -> bool {
        let Some(refresh) = self.refreshes.get(token) else {
            return false;
        };
        let family = self.families.get(&refresh.family);
        let alive = family.is_some_and(|family| {
            family.alive && now - family.begun_at <= ABSOLUTE_MS && self.grants.contains_key(&family.account)
        });
        alive && now - refresh.used_at <= INACTIVITY_MS && !refresh.spent(now)
    }

    fn tokens(&mut self, family: u64, account: &str, grant: &Grant, now: i64) -> Answer {
        if self.accesses.len() >= TOKENS_MAX {
            self.accesses
                .retain(|_, access| access.expires_at.is_none_or(|expires_at| expires_at > now));
        }
        let access = self.word("access");
        self.accesses.insert(
            access.clone(),
            Access {
                account: account.to_owned(),
                expires_at: Some(now + ACCESS_LIFE_MS),
            },
        );
        let scope: Vec<&str> = grant.scopes.iter().map(String::as_str).collect();
        let mut body = json!({
            "access_token": access,
            "expires_in": ACCESS_LIFE_MS / 1000,
            "token_type": "Bearer",
            "scope": scope.join(" "),
        });
        if grant.scopes.contains("offline_access") {
            let refresh = self.word("refresh");
            if self.refreshes.len() >= TOKENS_MAX {
                self.refreshes
                    .retain(|_, refresh| now - refresh.used_at <= INACTIVITY_MS);
            }
            self.refreshes.insert(
                refresh.clone(),
                Refresh {
                    family,
                    used_at: now,
                    rotated_at: None,
                },
            );
            body["refresh_token"] = json!(refresh);
        }
        Answer::json(200, &body).with_header("cache-control", "no-store")
    }
}

fn refusal(status: u16, error: &str, description: &str) -> Answer {
    Answer::json(status, &json!({ "error": error, "error_description": description }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;
    const BACK: &str = "http://localhost:1/back";

    fn oauth() -> OAuth {
        let client = Client {
            id: "app".into(),
            secret: "hush".into(),
        };
        OAuth::new(client, 1)
    }

    fn consented(oauth: &mut OAuth) -> String {
        let scopes = ["offline_access", "read:page:confluence"].map(String::from).into();
        oauth.consent("person", scopes, ["site".to_owned()].into(), BACK, NOW)
    }

    fn asked(oauth: &mut OAuth, more: Value, now: i64) -> (u16, Value) {
        let mut asked = json!({ "client_id": "app", "client_secret": "hush" });
        for (name, value) in more.as_object().expect("an object") {
            asked[name] = value.clone();
        }
        let answer = oauth.exchange(&asked, "unauthorized_client", now);
        (answer.status, serde_json::from_slice(&answer.body).expect("JSON"))
    }

    fn refreshed(oauth: &mut OAuth, token: &str, now: i64) -> (u16, Value) {
        asked(
            oauth,
            json!({ "grant_type": "refresh_token", "refresh_token": token }),
            now,
        )
    }

    fn first_refresh_token(oauth: &mut OAuth) -> String {
        let code = consented(oauth);
        let (status, body) = asked(
            oauth,
            json!({ "grant_type": "authorization_code", "code": code, "redirect_uri": BACK }),
            NOW,
        );
        assert_eq!(status, 200);
        assert_eq!(body["scope"], "offline_access read:page:confluence");
        body["refresh_token"].as_str().expect("a refresh token").to_owned()
    }

    #[test]
    fn a_code_is_exchanged_once_within_ten_minutes_and_for_its_own_redirect_uri() {
        let mut oauth = oauth();
        for (redirect_uri, now) in [("http://localhost:1/other", NOW), (BACK, NOW + CODE_LIFE_MS + 1)] {
            let code = consented(&mut oauth);
            let more = json!({ "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri });
            let (status, body) = asked(&mut oauth, more, now);
            assert_eq!(status, 400);
            assert_eq!(body["error_description"], "authorization_code is invalid");
        }
        let code = consented(&mut oauth);
        let more = json!({ "grant_type": "authorization_code", "code": code, "redirect_uri": BACK });
        assert_eq!(asked(&mut oauth, more.clone(), NOW).0, 200);
        assert_eq!(asked(&mut oauth, more, NOW).0, 400);
    }

    #[test]
    fn a_refresh_token_may_be_exchanged_again_for_ten_minutes_and_reuse_after_that_kills_the_family() {
        let mut oauth = oauth();
        let first = first_refresh_token(&mut oauth);
        let (status, second) = refreshed(&mut oauth, &first, NOW);
        assert_eq!(status, 200);
        assert_eq!(refreshed(&mut oauth, &first, NOW + LEEWAY_MS).0, 200);
        let (status, body) = refreshed(&mut oauth, &first, NOW + LEEWAY_MS + 1);
        assert_eq!(status, 403);
        assert_eq!(
            body,
            json!({ "error": "unauthorized_client", "error_description": "refresh_token is invalid" })
        );
        let second = second["refresh_token"].as_str().expect("a refresh token").to_owned();
        assert_eq!(refreshed(&mut oauth, &second, NOW + LEEWAY_MS + 2).0, 403);
    }

    #[test]
    fn a_refresh_token_dies_after_ninety_days_without_use() {
        let mut oauth = oauth();
        let token = first_refresh_token(&mut oauth);
        assert_eq!(refreshed(&mut oauth, &token, NOW + INACTIVITY_MS + 1).0, 403);
        let token = first_refresh_token(&mut oauth);
        assert_eq!(refreshed(&mut oauth, &token, NOW + INACTIVITY_MS).0, 200);
    }

    #[test]
    fn a_wrong_secret_is_the_operators_error_and_not_the_persons() {
        let mut oauth = oauth();
        let token = first_refresh_token(&mut oauth);
        let more = json!({ "grant_type": "refresh_token", "refresh_token": token, "client_secret": "wrong" });
        let (status, body) = asked(&mut oauth, more, NOW);
        assert_eq!((status, body["error"].as_str()), (401, Some("access_denied")));
    }

    #[test]
    fn a_new_consent_overrides_the_scopes_of_tokens_already_given() {
        let mut oauth = oauth();
        let code = consented(&mut oauth);
        let more = json!({ "grant_type": "authorization_code", "code": code, "redirect_uri": BACK });
        let (_, body) = asked(&mut oauth, more, NOW);
        let access = body["access_token"].as_str().expect("a token").to_owned();
        assert!(
            oauth
                .bearer(&access, NOW)
                .expect("a bearer")
                .has_scope("read:page:confluence")
        );
        oauth.consent(
            "person",
            ["offline_access".to_owned()].into(),
            BTreeSet::new(),
            BACK,
            NOW,
        );
        let bearer = oauth.bearer(&access, NOW).expect("a bearer");
        assert!(!bearer.has_scope("read:page:confluence") && bearer.includes("site"));
        assert!(oauth.bearer(&access, NOW + ACCESS_LIFE_MS).is_none());
        assert!(oauth.withdraw("person"));
        assert!(oauth.bearer(&access, NOW).is_none());
    }
}
