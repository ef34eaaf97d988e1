use async_nats::jetstream::stream::{Config, StorageType};
use bus::{Error, ErrorKind};
use testkit::NatsServer;

use crate::common::{bus, connect};

#[tokio::test]
async fn ensuring_twice_changes_nothing_and_drift_is_brought_back() {
    let (_server, bus) = bus().await;
    let before = bus.events_info().await.unwrap();
    bus.ensure_streams().await.unwrap();
    assert_eq!(bus.events_info().await.unwrap().config, before.config);
    let mut config = bus.events_info().await.unwrap().config;
    config.duplicate_window = std::time::Duration::from_secs(30);
    bus.jetstream().update_stream(&config).await.unwrap();
    bus.ensure_streams().await.unwrap();
    let found = bus.events_info().await.unwrap().config.duplicate_window;
    assert_eq!(found, std::time::Duration::from_millis(100));
}

#[tokio::test]
async fn a_stream_that_cannot_become_ours_is_refused_and_left_alone() {
    let server = NatsServer::start().await;
    let bus = connect(&server.url()).await;
    let theirs = Config {
        name: "EVENTS".to_owned(),
        subjects: vec!["ev.>".to_owned()],
        storage: StorageType::Memory,
        ..Config::default()
    };
    bus.jetstream().create_stream(theirs).await.unwrap();
    let error = bus.ensure_streams().await.unwrap_err();
    assert!(matches!(&error, Error::Incompatible { stream, .. } if stream == "EVENTS"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Fatal);
    assert_eq!(bus.events_info().await.unwrap().config.storage, StorageType::Memory, "left alone");
}
