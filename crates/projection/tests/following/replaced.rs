use std::fs;
use std::path::{Path, PathBuf};

use testkit::{NatsServer, eventually};

use crate::traffic::{Traffic, connect};
use crate::view::{ENGINES, LONG, View};

#[tokio::test(flavor = "multi_thread")]
async fn another_log_is_noticed_and_the_view_built_anew() {
    for engine in ENGINES {
        let (first, second) = (NatsServer::start().await, NatsServer::start().await);
        let dir = tempfile::tempdir().unwrap();
        let bus = connect(&first.url()).await;
        let view = View::open(bus.clone(), dir.path(), engine).await;
        view.reaches(Traffic::new(bus, "a").go_on(40).await).await;
        view.stop().await;
        // The other log is shorter, and has other events where the view stands.
        let bus = connect(&second.url()).await;
        let mut traffic = Traffic::new(bus.clone(), "b");
        let shorter = traffic.go_on(10).await;
        let view = View::open(bus.clone(), dir.path(), engine).await;
        let back = async || (view.projection.applied() == shorter).then_some(());
        eventually("the view of the other log", LONG, back).await;
        view.verifies().await;
        view.reaches(traffic.go_on(80).await).await;
        view.verifies().await;
        view.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_is_built_anew() {
    for engine in ENGINES {
        let (server, dir) = (NatsServer::start().await, tempfile::tempdir().unwrap());
        let bus = connect(&server.url()).await;
        let last = Traffic::new(bus.clone(), "a").go_on(40).await;
        let view = View::open(bus.clone(), dir.path(), engine).await;
        view.reaches(last).await;
        view.stop().await;
        let damaged = files(dir.path()).into_iter().filter(|file| damage(file)).count();
        assert!(damaged > 0, "there was nothing to damage");
        let view = View::open(bus, dir.path(), engine).await;
        view.reaches(last).await;
        view.verifies().await;
        view.stop().await;
    }
}

/// Every file of the engine, those of the store's own home left out.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let own = path.file_name().is_some_and(|name| name == "CURRENT" || name == "LOCK");
        if path.is_dir() {
            found.extend(files(&path));
        } else if !own {
            found.push(path);
        }
    }
    found
}

/// Overwrites what a file holds.
fn damage(file: &Path) -> bool {
    let length = fs::metadata(file).unwrap().len() as usize;
    fs::write(file, vec![0x5a; length]).unwrap();
    length > 0
}
