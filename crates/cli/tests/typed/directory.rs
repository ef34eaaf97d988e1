use std::collections::BTreeMap;

use bus::Bus;
use service::{Config, Doors, Grpc, Shutdown};
use testkit::NatsServer;

use crate::commands::{text, threadmark};

/// A real directory on a server of its own, and its address.
async fn directory() -> (NatsServer, String) {
    let nats = NatsServer::start().await;
    let bus = Bus::connect(&bus::Options::new(nats.url())).await.unwrap();
    bus.ensure_streams().await.unwrap();
    let workspaces = BTreeMap::from([("acme".to_owned(), Default::default())]);
    let options = ingest::Options { workspaces, ..ingest::Options::from_config(&Config::load(None).unwrap()) };
    let mut grpc = Grpc::bind("127.0.0.1:0".parse().unwrap(), Doors::open()).await.unwrap();
    let address = format!("http://{}", grpc.address().unwrap());
    grpc.add(ingest::directory_service(&bus, &options)).await;
    tokio::spawn(grpc.serve(Shutdown::new()));
    (nats, address)
}

#[tokio::test]
async fn agents_teams_and_presence_are_typed_and_shown() {
    let (_nats, server) = directory().await;
    // What is typed, what it ends with, and what is told.
    let cases: &[(&[&str], i32, &str)] = &[
        (&["agents"], 0, "no agents"),
        (&["teams"], 0, "no teams"),
        (&["agents", "add", "ana", "--name", "Ana", "--capacity", "5"], 0, "agent ana is in the directory"),
        (&["agents", "add", "ben"], 0, "agent ben"),
        (&["agents", "add", ""], 2, "agent.id"),
        (&["agents", "add", "ana", "--etag", "1000"], 1, "another etag"),
        (&["teams", "add", "billing", "ana", "zoe"], 2, "team.agent_ids[1]"),
        (&["teams", "add", "billing", "ben", "ana", "--default", "ana"], 0, "team billing has 2 agents"),
        (&["teams"], 0, "ben, ana"),
        (&["presence", "ana", "online", "--ttl", "1h"], 0, "ana is online until"),
        (&["presence", "ana", "online", "--ttl", "1ms"], 2, "ttl"),
        (&["presence", "ana", "online", "--ttl", "soon"], 2, "no length of time"),
        (&["presence", "ana", "gone"], 2, "possible values"),
        (&["presence", "zoe", "away"], 4, "does not exist"),
        (&["agents", "list", "--limit", "1"], 0, "online"),
        (&["agents", "remove", "ana"], 0, "agent ana is removed"),
        (&["agents", "remove", "ana"], 4, "does not exist"),
        (&["teams", "list", "--json"], 0, r#""agent_ids":["ben"],"default_assignee":"""#),
        (&["agents", "--json"], 0, r#""id":"ben","display_name":"","capacity":0,"presence":{"state":"OFFLINE"}"#),
        (&["teams", "remove", "billing", "--json"], 0, "{}"),
        (&["teams", "remove", "billing"], 4, "does not exist"),
    ];
    for (arguments, code, says) in cases {
        let output = threadmark(&server, &[&["--workspace", "acme"], *arguments].concat()).await;
        let told = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {told}");
        assert!(told.contains(says), "{arguments:?}: {told}");
    }
}
