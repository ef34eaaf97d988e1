use std::collections::BTreeSet;
use std::time::Duration;

use bus::TraceParent;

use crate::common::{bus, everything, received};

#[tokio::test]
async fn facts_stand_in_the_order_in_which_they_were_given() {
    let (_server, bus) = bus().await;
    let ids: Vec<String> = (0..2_500).map(|n| format!("m{n}")).collect();
    let trace = TraceParent::start();
    let done = bus.publish_facts(ids.iter().map(|id| received(id)), &trace).await;
    let revisions: Vec<u64> = done.into_iter().map(Result::unwrap).collect();
    assert!(revisions.is_sorted());
    let stored = everything(&bus).await;
    assert_eq!(stored.iter().map(|(_, event)| event.id.clone()).collect::<Vec<_>>(), ids);
    assert_eq!(stored.iter().map(|(revision, _)| *revision).collect::<Vec<_>>(), revisions);
}

/// More than may be on their way at once, of callers who each wait for all of theirs.
#[tokio::test]
async fn many_who_append_much_at_once_do_not_wait_for_each_other() {
    let (_server, bus) = bus().await;
    let append = |caller: usize| {
        let (bus, trace) = (bus.clone(), TraceParent::start());
        let facts: Vec<_> = (0..1_000).map(|n| received(&format!("m{caller}-{n}"))).collect();
        tokio::spawn(async move { bus.publish_facts(&facts, &trace).await })
    };
    let callers: Vec<_> = (0..16).map(append).collect();
    for caller in callers {
        let done = tokio::time::timeout(Duration::from_secs(60), caller).await.expect("it ends").unwrap();
        let revisions: Vec<u64> = done.into_iter().map(Result::unwrap).collect();
        assert!(revisions.len() == 1_000 && revisions.is_sorted());
    }
    assert_eq!(everything(&bus).await.len(), 16_000);
}

#[tokio::test]
async fn no_fact_that_was_acknowledged_is_lost_to_a_kill_and_a_reader_sees_each_in_order() {
    let (mut server, bus) = bus().await;
    let reading = tokio::spawn({
        let bus = bus.clone();
        async move {
            let (mut reader, mut seen, mut last) = (bus.reader(0), BTreeSet::new(), 0);
            while !seen.contains("the end") {
                for recorded in reader.next().await {
                    assert_eq!(recorded.revision, last + 1, "in order and without a gap");
                    last = recorded.revision;
                    seen.insert(recorded.event().unwrap().id);
                }
            }
            seen
        }
    });
    let publishing = tokio::spawn({
        let bus = bus.clone();
        async move {
            let (trace, mut acknowledged) = (TraceParent::start(), Vec::new());
            for batch in 0..testkit::count("batches-under-kills", 60, 1_000) {
                let ids: Vec<String> = (0..50).map(|n| format!("m{batch}-{n}")).collect();
                let done = bus.publish_facts(ids.iter().map(|id| received(id)), &trace).await;
                acknowledged.extend(ids.into_iter().zip(done).filter(|(_, done)| done.is_ok()).map(|(id, _)| id));
            }
            acknowledged
        }
    });
    for _ in 0..testkit::count("kills-while-publishing", 3, 30) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.kill();
        server.restart().await;
    }
    let acknowledged = publishing.await.unwrap();
    assert!(!acknowledged.is_empty());
    bus.publish_facts(vec![received("the end")], &TraceParent::start()).await.remove(0).unwrap();
    let seen = tokio::time::timeout(Duration::from_secs(60), reading).await.expect("the reader goes on").unwrap();
    for id in acknowledged {
        assert!(seen.contains(&id), "{id} was acknowledged");
    }
}

#[tokio::test]
async fn without_a_server_a_fact_fails_in_time_and_says_try_again() {
    let (mut server, bus) = bus().await;
    server.kill();
    let started = std::time::Instant::now();
    let error = bus.publish_facts(vec![received("m")], &TraceParent::start()).await.remove(0).unwrap_err();
    assert_eq!(error.kind(), bus::ErrorKind::Retry);
    assert!(started.elapsed() < Duration::from_secs(30), "bounded");
}
