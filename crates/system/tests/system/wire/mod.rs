//! What goes over the wire, as bytes: what a client can send that no generated code would, for every method there is.

mod bad_input;
mod bases;
mod isolation;
mod raw;
mod rows;
mod webhooks;

use std::path::Path;

use oracle::Settings;
use testkit::NatsServer;

use self::bases::Known;
use crate::deployment::{self, Deployment};
use crate::log::Collected;

/// Two businesses.
const ACME: &str = "acme";
const BETA: &str = "beta";
/// Their numbers, and what webhooks about them are signed with.
const ACME_NUMBER: &str = "100";
const BETA_NUMBER: &str = "200";
const ACME_SECRET: &str = "secret-of-acme";
const BETA_SECRET: &str = "secret-of-beta";

/// A deployment with something in the first business, nothing in the second.
struct World {
    deployment: Deployment,
    _nats: NatsServer,
}

impl World {
    async fn start() -> World {
        let nats = NatsServer::start().await;
        let url = nats.url();
        let settings = |data: &Path| {
            let defaults = Settings { assign_on_write: true, unassign_on_close: true };
            deployment::Settings::new(&url, data, "sled")
                .workspace(ACME, &defaults)
                .workspace(BETA, &defaults)
                .channel(ACME, ACME_NUMBER, ACME_SECRET)
                .channel(BETA, BETA_NUMBER, BETA_SECRET)
        };
        World { deployment: Deployment::start(settings).await, _nats: nats }
    }

    /// A chat in the first business: a customer wrote, an agent opened a ticket, wrote, noted and tagged.
    async fn chat(&self) -> Known {
        bases::chat(&self.deployment.clients(), ACME).await
    }

    /// How many events there are.
    async fn recorded(&self) -> u64 {
        Collected::new(&self.deployment.bus).up_to_date().await
    }
}
