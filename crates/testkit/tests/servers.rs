//! The servers are real: what was acknowledged survives a kill, and a cluster survives the loss of a node.

use std::path::Path;
use std::time::Duration;

use async_nats::jetstream::{self, Context, stream};
use testkit::{Cluster, NatsServer, eventually};

const DEADLINE: Duration = Duration::from_secs(60);

async fn jetstream(urls: &[String]) -> Context {
    let connected = eventually("a connection", DEADLINE, async || async_nats::connect(urls.to_vec()).await.ok());
    jetstream::new(connected.await)
}

/// Publishes until it is acknowledged: during a change of leader there is nobody to acknowledge.
async fn publish(js: &Context, text: &'static str) {
    let acked =
        eventually("an acknowledgement", DEADLINE, async || js.publish("t.x", text.into()).await.ok()?.await.ok());
    acked.await;
}

fn stream_of(replicas: usize) -> stream::Config {
    let subjects = vec!["t.>".to_owned()];
    stream::Config { name: "T".to_owned(), subjects, num_replicas: replicas, ..stream::Config::default() }
}

#[tokio::test]
async fn a_killed_server_comes_back_with_its_port_and_its_store() {
    let mut nats = NatsServer::start().await;
    let (url, pid) = (nats.url(), nats.pid());
    let js = jetstream(&[nats.url()]).await;
    js.create_stream(stream_of(1)).await.unwrap();
    js.publish("t.x", "kept".into()).await.unwrap().await.unwrap();
    assert!(nats.store_dir().join("jetstream").is_dir());

    nats.kill();
    assert_eq!(nats.pid(), None);
    assert!(async_nats::connect(&url).await.is_err(), "a killed server takes no connections");

    nats.restart().await;
    assert_eq!(nats.url(), url);
    assert_ne!(nats.pid(), pid);
    let stream = jetstream(&[url]).await.get_stream("T").await.unwrap();
    let message = stream.get_last_raw_message_by_subject("t.x").await.unwrap();
    assert_eq!((message.sequence, &*message.payload), (1, &b"kept"[..]));
}

#[tokio::test]
async fn a_dropped_server_is_gone_with_its_directory() {
    let nats = NatsServer::start().await;
    let (url, store) = (nats.url(), nats.store_dir());
    drop(nats);
    assert!(async_nats::connect(url).await.is_err());
    assert!(!Path::new(&store).parent().unwrap().exists());
}

#[tokio::test]
async fn servers_are_private() {
    let (one, other) = tokio::join!(NatsServer::start(), NatsServer::start());
    assert_ne!(one.url(), other.url());
    jetstream(&[one.url()]).await.create_stream(stream_of(1)).await.unwrap();
    assert!(jetstream(&[other.url()]).await.get_stream("T").await.is_err());
}

#[tokio::test]
async fn configuration_can_be_added() {
    let nats = NatsServer::builder().sync_always().config("authorization { token: secret }").start().await;
    assert!(async_nats::connect(nats.url()).await.is_err());
    let client = async_nats::ConnectOptions::with_token("secret".to_owned()).connect(nats.url()).await.unwrap();
    assert_eq!(client.server_info().max_payload, 8 * 1024 * 1024);
}

#[tokio::test]
#[should_panic(expected = "nats-server ended at once")]
async fn a_server_that_cannot_start_says_so() {
    NatsServer::builder().config("nonsense: {").start().await;
}

#[tokio::test]
async fn a_replicated_stream_survives_the_loss_of_its_leader() {
    let mut cluster = Cluster::start(3).await;
    let urls = cluster.urls();
    let js = jetstream(&urls).await;
    let mut stream = js.create_stream(stream_of(3)).await.unwrap();
    publish(&js, "before").await;
    let leader = stream.info().await.unwrap().cluster.clone().unwrap().leader.unwrap();
    let leader: usize = leader.strip_prefix("node-").unwrap().parse().unwrap();

    cluster.kill(leader);
    publish(&js, "without its leader").await;

    cluster.restart(leader).await;
    assert_eq!(cluster.urls(), urls);
    publish(&js, "whole again").await;
    let caught_up = eventually("three current replicas", DEADLINE, async || {
        let info = stream.info().await.ok()?;
        let replicas = &info.cluster.as_ref()?.replicas;
        (replicas.len() == 2 && replicas.iter().all(|replica| replica.current)).then_some(info.state.messages)
    });
    assert!(caught_up.await >= 3);
}
