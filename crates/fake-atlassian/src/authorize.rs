//! Given an authorize address, gives the page on which a person lets an app in, and where their answer leads.

use std::{collections::BTreeSet, fmt::Write};

use url::Url;

use crate::{answer::Answer, fake::Fake, query::Query, world::World};

/// What an app asks of a person.
#[derive(Clone, Debug)]
pub struct Asked {
    pub redirect_uri: Url,
    /// As it was sent: the code exchange must repeat it letter by letter.
    pub redirect_uri_sent: String,
    pub state: String,
    pub scopes: BTreeSet<String>,
}

impl Fake {
    /// What is asked, or why Atlassian shows an error page instead.
    pub fn asked(&self, query: &Query) -> Result<Asked, String> {
        let word = |name: &str| query.first(name).filter(|value| !value.is_empty());
        if word("client_id") != Some(self.oauth().client_id()) {
            return Err("There is no app with this client_id.".into());
        }
        if word("response_type") != Some("code") {
            return Err("The response_type must be code.".into());
        }
        if word("audience") != Some("api.atlassian.com") {
            return Err("The audience must be api.atlassian.com.".into());
        }
        let sent = word("redirect_uri").ok_or("The redirect_uri is missing.")?;
        let redirect_uri = Url::parse(sent).map_err(|_| "The redirect_uri is not an address.")?;
        let allowed = match self.options.redirect_uris.as_slice() {
            [] => matches!(redirect_uri.scheme(), "http" | "https"),
            known => known.iter().any(|uri| uri == sent),
        };
        if !allowed {
            return Err("The redirect_uri is not one that the app has registered.".into());
        }
        let state = word("state").ok_or("The state is missing.")?;
        let scopes: BTreeSet<String> = word("scope")
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        if scopes.is_empty() {
            return Err("The scope is missing.".into());
        }
        let enabled = &self.options.enabled_scopes;
        let unknown = |scope: &&String| !enabled.is_empty() && !enabled.contains(*scope) && *scope != "offline_access";
        if let Some(scope) = scopes.iter().find(unknown) {
            return Err(format!("The scope {scope} has not been added to the app."));
        }
        Ok(Asked {
            redirect_uri,
            redirect_uri_sent: sent.to_owned(),
            state: state.to_owned(),
            scopes,
        })
    }

    /// `GET /authorize`
    pub fn authorize_page(&self, query: &Query) -> Answer {
        match self.asked(query) {
            Ok(asked) => Answer::html(200, consent_page(&self.world(), query, &asked)),
            Err(reason) => error_page(400, "Something went wrong", &reason),
        }
    }

    /// `POST /authorize`
    pub fn authorize_answer(&self, form: &Query) -> Answer {
        let asked = match self.asked(form) {
            Ok(asked) => asked,
            Err(reason) => return error_page(400, "Something went wrong", &reason),
        };
        if form.first("action") != Some("accept") {
            return returning(
                &asked,
                &[
                    ("error", "access_denied"),
                    ("error_description", "User did not authorize the request"),
                ],
            );
        }
        let account = form.first("account").unwrap_or_default();
        let sites: BTreeSet<String> = form.every("site").into_iter().map(str::to_owned).collect();
        match self.consented(&asked, account, sites) {
            Ok(code) => returning(&asked, &[("code", &code)]),
            Err(reason) => error_page(200, "Access not granted", &reason),
        }
    }

    /// The person accepts; gives the code.
    pub fn consented(&self, asked: &Asked, account: &str, sites: BTreeSet<String>) -> Result<String, String> {
        let now = self.now();
        let world = self.world();
        let person = world.person(account).ok_or("There is no such account.")?;
        if world
            .people
            .get(usize::from(person))
            .is_none_or(|person| !person.active)
        {
            return Err("This account has been deactivated.".into());
        }
        if sites.is_empty() {
            return Err("Choose at least one site.".into());
        }
        // Of the sites ticked, those that are the person's: the real page shows no others.
        let theirs = |cloud_id: &String| world.site(cloud_id).is_some_and(|site| site.members.contains(&person));
        let sites: BTreeSet<String> = sites.into_iter().filter(theirs).collect();
        if sites.is_empty() {
            return Err("This account has no access to the sites chosen.".into());
        }
        let mut oauth = self.oauth();
        for cloud_id in &sites {
            let site = world.site(cloud_id).ok_or("There is no such site.")?;
            if oauth.blocked_sites.contains(cloud_id) {
                return Err(format!(
                    "Your site admin must authorize this app for the site '{}' before the app can access your account.",
                    site.url().trim_start_matches("https://")
                ));
            }
        }
        Ok(oauth.consent(account, asked.scopes.clone(), sites, &asked.redirect_uri_sent, now))
    }
}

fn returning(asked: &Asked, more: &[(&str, &str)]) -> Answer {
    let mut address = asked.redirect_uri.clone();
    address
        .query_pairs_mut()
        .extend_pairs(more)
        .append_pair("state", &asked.state);
    Answer::redirect(address.into())
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;background:#f7f8f9;color:#172b4d;margin:0}\
main{max-width:34rem;margin:3rem auto;background:#fff;padding:2rem;border-radius:8px;box-shadow:0 1px 4px #091e4240}\
h1{font-size:1.4rem;margin-top:0}fieldset{border:1px solid #c1c7d0;border-radius:4px;margin:1rem 0}\
select,button{font:inherit;padding:.4rem .8rem}code{font-size:.9rem}button[value=accept]{background:#0c66e4;color:#fff;border:0;border-radius:4px}\
.note{color:#44546f;font-size:.9rem}";

fn page(title: &str, content: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head><body><main><h1>{title}</h1>{content}</main></body></html>"
    )
}

fn error_page(status: u16, title: &str, reason: &str) -> Answer {
    Answer::html(
        status,
        page(title, &format!("<p role=\"alert\">{}</p>", escaped(reason))),
    )
}

fn consent_page(world: &World, query: &Query, asked: &Asked) -> String {
    let mut out = String::new();
    out.push_str(
        "<p class=\"note\">This is a fake Atlassian, for trying things out. Nobody's password is asked for.</p>",
    );
    out.push_str("<form method=\"post\" action=\"authorize\">");
    for (name, value) in query.pairs() {
        if !["account", "site", "action"].contains(&name) {
            // Writing into a string cannot fail.
            let _ = write!(
                out,
                "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                escaped(name),
                escaped(value)
            );
        }
    }
    out.push_str("<p><label for=\"account\">Signed in as</label> <select id=\"account\" name=\"account\">");
    for person in world.people.iter().filter(|person| person.active) {
        let _ = write!(
            out,
            "<option value=\"{}\">{}</option>",
            escaped(&person.account_id),
            escaped(&person.name)
        );
    }
    out.push_str("</select></p><fieldset><legend>Authorize for these sites</legend>");
    for (place, site) in world.sites.iter().enumerate() {
        let address = site.url();
        let _ = write!(
            out,
            "<div><input type=\"checkbox\" id=\"site{place}\" name=\"site\" value=\"{}\" checked> <label for=\"site{place}\">{}</label></div>",
            escaped(&site.cloud_id),
            escaped(address.trim_start_matches("https://"))
        );
    }
    out.push_str("</fieldset><h2>The app would like to</h2><ul>");
    for scope in &asked.scopes {
        let _ = write!(out, "<li><code>{}</code></li>", escaped(scope));
    }
    let host = asked.redirect_uri.host_str().unwrap_or_default();
    let _ = write!(
        out,
        "</ul><p class=\"note\">You will be sent back to {}.</p>",
        escaped(host)
    );
    out.push_str(
        "<p><button type=\"submit\" name=\"action\" value=\"accept\">Accept</button> \
         <button type=\"submit\" name=\"action\" value=\"cancel\">Cancel</button></p></form>",
    );
    page("An app requests access to your Atlassian account", &out)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
