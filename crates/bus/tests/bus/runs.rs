use bus::{Bus, Recording, RunFilter, RunRecord};
use conversation::Time;
use proto::v1;

use crate::common::{bus, connect};

fn run(rule: &str, event: &str, conversation: &str, seconds: i64) -> v1::Run {
    v1::Run {
        id: format!("{rule}@1/{event}"),
        rule: rule.to_owned(),
        rule_version: 1,
        event_id: event.to_owned(),
        conversation_id: conversation.to_owned(),
        time: Some(proto::timestamp(Time(seconds * 1_000_000_000))),
        ..v1::Run::default()
    }
}

fn everything() -> RunFilter {
    RunFilter { workspace: "acme".to_owned(), not_matched: true, ..RunFilter::default() }
}

/// Ids of all pages, newest first.
async fn ids(bus: &Bus, filter: &RunFilter, limit: usize) -> Vec<String> {
    let (mut ids, mut before) = (Vec::new(), None);
    loop {
        let page = bus.runs(filter, before, limit).await.unwrap();
        assert!(page.records.len() <= limit);
        ids.extend(page.records.into_iter().map(|(_, record)| match record {
            RunRecord::Run(run) => run.id,
            RunRecord::NotMatched(record) => format!("not matched: {}", record.event_id),
        }));
        before = page.next;
        if before.is_none() {
            return ids;
        }
    }
}

#[tokio::test]
async fn a_run_is_recorded_once_and_found_by_whoever_comes_later() {
    let (mut server, bus) = bus().await;
    let other = connect(&server.url()).await;
    let first = run("greet", "e1", "c1", 10);
    let second = v1::Run { reason: "the other process".to_owned(), ..first.clone() };
    let (one, two) = tokio::join!(bus.record_run("acme", &first), other.record_run("acme", &second));
    let new = [&one, &two].iter().filter(|done| matches!(done, Ok(Recording::New(_)))).count();
    assert_eq!(new, 1, "{one:?} {two:?}");
    server.kill();
    server.restart().await;
    assert!(matches!(bus.record_run("acme", &v1::Run { depth: 7, ..first.clone() }).await, Ok(Recording::Found(..))));
    let (place, found) = bus.recorded_run("acme", &run("greet", "e1", "c1", 0)).await.unwrap().unwrap();
    assert!(found == first || found == second);
    // What became of it later replaces it, unless someone else did so before.
    let later = v1::Run { revision: 77, ..found };
    let moved = bus.replace_run("acme", &later, place).await.unwrap();
    assert!(moved > place);
    assert!(matches!(bus.replace_run("acme", &first, place).await, Err(bus::Error::Conflict)));
    let page = bus.runs(&everything(), None, 10).await.unwrap();
    assert_eq!(page.records.len(), 1);
    assert!(matches!(&page.records[0], (at, RunRecord::Run(run)) if *at == moved && **run == later));
}

#[tokio::test]
async fn runs_are_read_newest_first_by_event_conversation_rule_and_time_in_pages() {
    let (_server, bus) = bus().await;
    for n in 0..60 {
        let conversation = format!("c{}", n % 4);
        let rule = if n % 3 == 0 { "every third" } else { "others" };
        bus.record_run("acme", &run(rule, &format!("e{n}"), &conversation, n)).await.unwrap();
        bus.record_run("rival", &run(rule, &format!("e{n}"), &conversation, n)).await.unwrap();
    }
    let late = v1::Run { id: "others@1/e7/1234".to_owned(), ..run("others", "e7", "c3", 100) };
    bus.record_run("acme", &late).await.unwrap();
    let not_matched = v1::NotMatched {
        event_id: "e7".to_owned(),
        conversation_id: "c3".to_owned(),
        time: late.time,
        ..v1::NotMatched::default()
    };
    bus.record_not_matched("acme", &not_matched).await.unwrap();
    bus.record_not_matched("acme", &not_matched).await.unwrap();

    for limit in [1, 7, 1_000] {
        assert_eq!(ids(&bus, &everything(), limit).await.len(), 62, "pages of {limit}");
    }
    let runs = RunFilter { not_matched: false, ..everything() };
    let newest = ids(&bus, &runs, 10).await;
    assert_eq!((newest[0].as_str(), newest[1].as_str(), newest.len()), ("others@1/e7/1234", "others@1/e59", 61));
    let of_event = RunFilter { event_id: "e7".to_owned(), ..everything() };
    assert_eq!(ids(&bus, &of_event, 10).await, ["not matched: e7", "others@1/e7/1234", "others@1/e7"]);
    let of_conversation = RunFilter { conversation: "c3".to_owned(), ..runs.clone() };
    assert_eq!(ids(&bus, &of_conversation, 4).await.len(), 16);
    let of_rule = RunFilter { rule: "every third".to_owned(), ..runs.clone() };
    assert_eq!(ids(&bus, &of_rule, 4).await.len(), 20);
    let seconds = |seconds: i64| Some(Time(seconds * 1_000_000_000));
    let period = RunFilter { start: seconds(10), end: seconds(20), ..runs };
    assert_eq!(ids(&bus, &period, 3).await.len(), 10);
    let nothing = RunFilter { event_id: "e999".to_owned(), ..everything() };
    assert!(ids(&bus, &nothing, 10).await.is_empty());
}
