//! The demo: a workspace with a channel, and customers who write to it while agents answer.

use std::net::SocketAddr;

use service::config::{Channel, ChannelKind};
use service::{Config, Secret, Supervisor};

use crate::simulate::{self, DEMO_NUMBER, DEMO_SECRET, Options};

/// The demo's workspace: what the client commands take when none is named.
const WORKSPACE: &str = "demo";

/// Adds the demo's workspace and channel to the configuration.
pub(super) fn prepare(config: &mut Config) {
    config.channels.push(Channel {
        kind: ChannelKind::Whatsapp,
        workspace: WORKSPACE.to_owned(),
        phone_number_id: DEMO_NUMBER.to_owned(),
        app_secret: Secret::new(DEMO_SECRET),
        verify_token: Secret::new(DEMO_SECRET),
        access_token: Secret::default(),
        api_base: String::new(),
    });
}

/// Lets the customers write and the agents answer until shutdown begins.
pub(super) fn start(http: SocketAddr, grpc: SocketAddr, supervisor: &Supervisor) {
    let options = Options::demo(
        format!("http://{http}/webhooks/whatsapp/{WORKSPACE}"),
        Secret::new(DEMO_SECRET),
        format!("http://{grpc}"),
        WORKSPACE.to_owned(),
    );
    let shutdown = supervisor.shutdown().clone();
    supervisor.restart("demo", move || {
        let simulation = simulate::run(options.clone(), shutdown.clone());
        async move { simulation.await.map(drop) }
    });
}
