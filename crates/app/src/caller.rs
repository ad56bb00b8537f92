//! Whoever asks now.

use domain::{
    Error, Result,
    user::{Role, User},
};

/// A proven user, and how they were proven. Only `users` makes one.
#[derive(Clone, Debug)]
pub struct Caller {
    pub user: User,
    pub via: Via,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// A browser's session, by its digest.
    Session {
        digest: String,
    },
    ApiKey,
    /// The command line on the machine itself.
    Machine,
}

impl Caller {
    /// Reading and searching is for everybody with an account; changing things is for administrators.
    pub(crate) fn must_manage(&self) -> Result<()> {
        match self.user.role {
            Role::Admin => Ok(()),
            Role::Reader => Err(Error::forbidden("only an administrator may do this")),
        }
    }
}
