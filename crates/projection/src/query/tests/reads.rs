use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use conversation::Time;
use tokio::time::{sleep, timeout};
use tonic::Code;

use super::history::History;
use super::world::World;
use crate::query::reads::Reads;
use crate::store::View;
use crate::view::error::Error;

const DEADLINE: Duration = Duration::from_secs(20);

fn reads() -> (World, Reads) {
    let world = World::new(History::new(0, Time(0), 1));
    let reads = Reads::new(world.live.clone());
    (world, reads)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_runs_where_it_is_asked_while_another_worker_stays_free() {
    let (_world, reads) = reads();
    let begun = Arc::new(AtomicBool::new(false));
    let (done, dones) = mpsc::channel();
    let first = tokio::spawn({
        let (reads, begun) = (reads.clone(), begun.clone());
        async move {
            let here = thread::current().id();
            let query = move |_: &dyn View| {
                begun.store(true, Ordering::Release);
                dones.recv_timeout(DEADLINE).expect("the second is not held up by the first");
                Ok(thread::current().id())
            };
            assert_eq!(reads.run(query).await.expect("answers"), here);
        }
    });
    let second = tokio::spawn(async move {
        let begins = async {
            while !begun.load(Ordering::Acquire) {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(DEADLINE, begins).await.expect("the first begins");
        let here = thread::current().id();
        assert_ne!(reads.run(|_| Ok(thread::current().id())).await.expect("answers"), here);
        done.send(()).expect("the first waits");
    });
    first.await.expect("no panic");
    second.await.expect("no panic");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_panics_is_an_internal_error_and_no_more() {
    let (_world, reads) = reads();
    for _ in 0..3 {
        let failed = reads.run(|_| -> Result<(), Error> { panic!("the engine believed its files") }).await;
        assert_eq!(failed.expect_err("fails").code(), Code::Internal);
    }
    let here = thread::current().id();
    assert_eq!(reads.run(|_| Ok(thread::current().id())).await.expect("answers"), here);
}
