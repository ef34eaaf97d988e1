//! The configuration file of a test server.

use std::path::Path;

/// What a test may choose about its server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) sync_always: bool,
    pub(crate) extra: String,
    pub(crate) node: Option<Node>,
}

/// The place of a server in a cluster.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) cluster_port: u16,
    /// The cluster ports of all nodes, its own among them: the number of routes tells JetStream how many peers to expect.
    pub(crate) route_ports: Vec<u16>,
}

/// The text of the file. `port` is the one the server had before; without one it chooses. `dir` gets everything that
/// the server writes.
pub(crate) fn render(settings: &Settings, dir: &Path, port: Option<u16>) -> String {
    let dir = dir.display();
    let port = port.map_or("-1".to_owned(), |port| port.to_string());
    // The default, like the server's own, is an fsync every two minutes.
    let sync = if settings.sync_always { ", sync_interval: always" } else { "" };
    let cluster = settings.node.as_ref().map_or(String::new(), cluster_section);
    let extra = &settings.extra;
    // 8 MB is what production runs with (DESIGN, section 3); ports of -1 are free ones.
    format!(
        r#"listen: "127.0.0.1:{port}"
http: "127.0.0.1:-1"
ports_file_dir: "{dir}"
log_file: "{dir}/nats-server.log"
max_payload: 8MB
jetstream {{ store_dir: "{dir}/store"{sync} }}
{cluster}
{extra}
"#
    )
}

fn cluster_section(node: &Node) -> String {
    let routes: Vec<_> = node.route_ports.iter().map(|port| format!("\"nats://127.0.0.1:{port}\"")).collect();
    format!(
        "server_name: {}\ncluster {{ name: testkit, listen: \"127.0.0.1:{}\", routes: [{}] }}",
        node.name,
        node.cluster_port,
        routes.join(", ")
    )
}
