use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::commands::{text, threadmark};

const DEADLINE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_running_system_counts_what_it_does_and_says_so_to_whoever_scrapes() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("threadmark.toml");
    std::fs::write(&config, "[[workspaces]]\nname = \"acme\"\n").unwrap();
    let mut up = Command::new(env!("CARGO_BIN_EXE_threadmark"));
    up.args(["up", "--no-demo", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--console", "127.0.0.1:0"])
        .arg("--config")
        .arg(&config)
        .arg("--data-dir")
        .arg(dir.path().join("data"))
        .env("THREADMARK_NATS_SERVER", testkit::nats_server_binary().unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut up = up.spawn().unwrap();
    let mut lines = BufReader::new(up.stdout.take().unwrap()).lines();
    let (mut grpc, mut metrics) = (String::new(), String::new());
    let ready = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["gRPC", address] => grpc = (*address).to_owned(),
                ["metrics", address] => metrics = (*address).to_owned(),
                ["ready"] => return,
                _ => {}
            }
        }
    };
    tokio::time::timeout(DEADLINE, ready).await.unwrap();
    let token = dir.path().join("data").join("service.token");
    let shown = ["--workspace", "acme", "--token-file", token.to_str().unwrap()];
    let acme = async |arguments: &[&str]| {
        let output = threadmark(&grpc, &[&shown[..], arguments].concat()).await;
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    acme(&["receive", "--channel", "web", "--contact", "v1", "--name", "Maya", "Hello"]).await;
    // The view is asked for the name.
    testkit::eventually("the view", DEADLINE, async || {
        let output = threadmark(&grpc, &[&shown[..], &["open", "Maya", "--topic", "refund"]].concat()).await;
        output.status.success().then_some(())
    })
    .await;
    let wanted = [
        "threadmark_events_appended_total{event=\"MessageReceived\"} 1",
        "threadmark_events_appended_total{event=\"Decided\"} 1",
        "threadmark_decisions_total{actor=\"agent\",outcome=\"decided\"} 1",
        "threadmark_grpc_requests_total{service=\"ConversationService\",method=\"OpenTicket\",code=\"Ok\"} 1",
        "threadmark_grpc_seconds_count{service=\"ConversationService\",method=\"ReceiveMessage\"} 1",
        "threadmark_worker_events_total{worker=\"assign\",outcome=\"done\"} 2",
        "threadmark_consumer_pending{stream=\"EVENTS\",consumer=\"assign-0\"} 0",
        "threadmark_consumer_ack_pending{stream=\"REQUEUED\",consumer=\"assign-EVENTS\"} 0",
        "threadmark_projection_revision{} 2",
        "threadmark_projection_stream_revision{} 2",
        "threadmark_open_tickets{workspace=\"acme\"} 1",
    ];
    let scraped = testkit::eventually("the numbers to move", DEADLINE, async || {
        let scraped = reqwest::get(&metrics).await.ok()?.text().await.ok()?;
        let there = wanted.iter().all(|wanted| scraped.lines().any(|line| line == *wanted));
        there.then_some(scraped)
    })
    .await;
    assert!(scraped.ends_with("# EOF\n"));
    for secret in ["Maya", "Hello"] {
        assert!(!scraped.contains(secret), "{secret} is the customer's");
    }
}
