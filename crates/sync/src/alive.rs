//! Given a reach, proves that the site answers to whoever connected. What Atlassian says of absence counts only after that.

use domain::{Error, Result, connection::Ending, document::Person, source::Reach};

use crate::run::Ports;

/// The connected person. `Ended` when the site answers to nobody or to somebody else: it answers a dead token, and one of
/// a site that was not granted, as if much were not there (facts.md §3).
pub async fn proven(ports: &Ports, reach: &Reach) -> Result<Person> {
    let me = ports.source.me(reach).await?;
    let connection = ports.store.connection(reach.connection).await?;
    match connection.account {
        Some(account) if account != me.account => Err(Error::ended(
            Ending::OtherAccount,
            format!(
                "{} answers to {}, and {} connected this integration",
                reach.site.name,
                me.name,
                connection.account_name.as_deref().unwrap_or("somebody else")
            ),
        )),
        Some(_) => Ok(me),
        None => {
            ports.store.set_connection_account(reach.connection, &me).await?;
            Ok(me)
        }
    }
}
