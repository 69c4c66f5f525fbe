//! One look at the app: care port and front door at the same time.

use std::time::Duration;

use healing_core::health::Health;
use healing_core::observation::{InvalidAnswer, ProbeResult};
use reqwest::{Client, Url};

use super::http::{self, NoReply, Reply};
use super::plausible;

/// Client of the care port and the front door.
#[derive(Debug, Clone)]
pub struct Probe {
    client: Client,
    health: Url,
    front_door: Url,
    limit: Duration,
}

impl Probe {
    /// Creates a probe of the app at these two addresses; `limit` bounds each request.
    #[must_use]
    pub fn new(client: Client, app: &Url, care: &Url, limit: Duration) -> Self {
        Self {
            client,
            health: at(care, "/health"),
            front_door: at(app, "/healthz"),
            limit,
        }
    }

    /// Probes care port and front door; takes as long as the slower one, at most the limit.
    pub async fn look(&self) -> (ProbeResult<Health>, ProbeResult<()>) {
        tokio::join!(self.care(), self.front_door())
    }

    /// `GET /health` on the care port.
    pub(crate) async fn care(&self) -> ProbeResult<Health> {
        answer(
            http::get(&self.client, &self.health, self.limit).await,
            |body| {
                let health = serde_json::from_slice(body).map_err(|_| InvalidAnswer::Malformed)?;
                if plausible::health(&health) {
                    Ok(health)
                } else {
                    Err(InvalidAnswer::OutOfRange)
                }
            },
        )
    }

    /// `GET /healthz` on the app's own port: what it says does not matter, that it says it does.
    async fn front_door(&self) -> ProbeResult<()> {
        answer(
            http::get(&self.client, &self.front_door, self.limit).await,
            |_| Ok(()),
        )
    }
}

fn answer<T>(
    reply: Result<Reply, NoReply>,
    read: impl FnOnce(&[u8]) -> Result<T, InvalidAnswer>,
) -> ProbeResult<T> {
    match reply {
        Err(NoReply::Refused) => ProbeResult::Refused,
        Err(NoReply::TimedOut) => ProbeResult::TimedOut,
        Err(NoReply::Invalid(why)) => ProbeResult::Invalid(why),
        Ok(reply) if reply.status != 200 => {
            ProbeResult::Invalid(InvalidAnswer::Status(reply.status))
        }
        Ok(reply) => match read(&reply.body) {
            Ok(value) => ProbeResult::Valid(value, reply.took),
            Err(why) => ProbeResult::Invalid(why),
        },
    }
}

/// The base address with this path: bases have none of their own (`config` sees to it).
pub(crate) fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(path);
    url
}
