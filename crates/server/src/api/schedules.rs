//! How often a feed's passes begin, and how its job stands in the queue.

use std::time::Duration;

use app::progress::Next;
use domain::{Timestamp, feed::Schedule, job::Standing};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How often each pass begins by itself.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Schedule)]
pub struct ScheduleJson {
    /// What was written lately is looked for: 60 (a minute) to 86400 (a day).
    pub changes_every_seconds: u64,
    /// Everything is read again: 900 (a quarter of an hour) to 86400 (a day). null: as often as its price allows.
    pub walk_every_seconds: Option<u64>,
    /// What is no longer visible is suspected: 300 (five minutes) to 86400 (a day). null: as often as its price allows,
    /// where the grant allows it.
    pub probe_every_seconds: Option<u64>,
}

impl From<Schedule> for ScheduleJson {
    fn from(schedule: Schedule) -> Self {
        Self {
            changes_every_seconds: schedule.changes_every.as_secs(),
            walk_every_seconds: schedule.walk_every.map(|every| every.as_secs()),
            probe_every_seconds: schedule.probe_every.map(|every| every.as_secs()),
        }
    }
}

impl From<ScheduleJson> for Schedule {
    fn from(schedule: ScheduleJson) -> Self {
        Self {
            changes_every: Duration::from_secs(schedule.changes_every_seconds),
            walk_every: schedule.walk_every_seconds.map(Duration::from_secs),
            probe_every: schedule.probe_every_seconds.map(Duration::from_secs),
        }
    }
}

/// When the feed does what by itself; null where that is not known, or where it waits for something.
#[derive(Serialize, ToSchema)]
#[schema(as = NextPasses)]
pub struct NextJson {
    /// The next pass, whatever is due then.
    #[schema(format = DateTime)]
    pub pass_at: Option<String>,
    /// When changes are due to be looked for.
    #[schema(format = DateTime)]
    pub changes_at: Option<String>,
    /// When everything is due to be read again.
    #[schema(format = DateTime)]
    pub walk_at: Option<String>,
    /// When visibility is due to be probed; null also when the grant does not allow it.
    #[schema(format = DateTime)]
    pub probe_at: Option<String>,
}

impl From<Next> for NextJson {
    fn from(next: Next) -> Self {
        let told = |at: Option<Timestamp>| at.map(|at| at.to_string());
        Self {
            pass_at: told(next.pass),
            changes_at: told(next.changes),
            walk_at: told(next.walk),
            probe_at: told(next.probe),
        }
    }
}

/// How the feed's job stands in the queue.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub struct JobJson {
    pub state: JobStateJson,
    /// When it begins, or since when it is dead.
    #[schema(format = DateTime)]
    pub at: Option<String>,
    /// The last failure, for people; of a dead job only.
    pub why: Option<String>,
}

/// `dead`: it failed too often to be tried again by itself; POST /feeds/{id}/resync revives it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = JobState)]
pub enum JobStateJson {
    Waits,
    Runs,
    Dead,
}

impl From<Standing> for JobJson {
    fn from(standing: Standing) -> Self {
        let (state, at, why) = match standing {
            Standing::Waits { at } => (JobStateJson::Waits, Some(at), None),
            Standing::Runs => (JobStateJson::Runs, None, None),
            Standing::Dead { at, why } => (JobStateJson::Dead, Some(at), Some(why)),
        };
        Self {
            state,
            at: at.map(|at| at.to_string()),
            why,
        }
    }
}
