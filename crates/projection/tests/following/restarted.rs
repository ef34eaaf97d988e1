use testkit::{NatsServer, eventually};

use crate::traffic::{Traffic, connect};
use crate::view::{ENGINES, LONG, View};

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_on_where_it_stood_and_equals_a_rebuild() {
    for engine in ENGINES {
        let (server, dir) = (NatsServer::start().await, tempfile::tempdir().unwrap());
        let bus = connect(&server.url()).await;
        let mut traffic = Traffic::new(bus.clone(), "a");
        let before = traffic.go_on(40).await;
        let view = View::open(bus.clone(), dir.path(), engine).await;
        view.reaches(before).await;
        view.stop().await;
        let after = traffic.go_on(40).await;
        let view = View::open(bus, dir.path(), engine).await;
        assert!(view.projection.applied() >= before, "it kept what it had");
        view.reaches(after).await;
        view.verifies().await;
        view.stop().await;
    }
}

/// More than it folds into the store that is read.
const LONG_LOG: u64 = 12_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_is_built_beside_and_followed_from_there() {
    for engine in ENGINES {
        let (server, dir) = (NatsServer::start().await, tempfile::tempdir().unwrap());
        let bus = connect(&server.url()).await;
        let mut traffic = Traffic::new(bus.clone(), "a");
        let before = traffic.flood(LONG_LOG).await;
        let view = View::open(bus.clone(), dir.path(), engine).await;
        let whole = async || {
            let applied = view.projection.applied();
            assert!(applied == 0 || applied >= before, "half of it is shown: {applied}");
            (applied >= before).then_some(())
        };
        eventually("the view of a long log", LONG, whole).await;
        view.reaches(traffic.go_on(40).await).await;
        view.verifies().await;
        view.stop().await;
        let view = View::open(bus, dir.path(), engine).await;
        assert!(view.projection.applied() > before, "it kept what it had");
        view.verifies().await;
        view.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_on_when_the_server_was_away() {
    let (mut server, dir) = (NatsServer::start().await, tempfile::tempdir().unwrap());
    let bus = connect(&server.url()).await;
    let mut traffic = Traffic::new(bus.clone(), "a");
    let view = View::open(bus, dir.path(), ENGINES[0]).await;
    view.reaches(traffic.go_on(10).await).await;
    server.kill();
    server.restart().await;
    view.reaches(traffic.go_on(10).await).await;
    view.verifies().await;
    view.stop().await;
}
