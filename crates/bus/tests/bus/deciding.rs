use std::collections::BTreeSet;
use std::time::Duration;

use bus::{DecideError, Verdict};
use conversation::{Action, IfOpen, Refusal, Which};
use futures::future::join_all;
use proto::v1;

use crate::common::{bus, connect, conversation, everything, open, proposal};

#[tokio::test]
async fn w9_a_repeated_command_has_the_first_result_and_revision() {
    let (_server, bus) = bus().await;
    let first = bus.decide(&proposal("one", "open", vec![open(IfOpen::Nest)])).await.unwrap();
    let between = bus.decide(&proposal("two", "open", vec![open(IfOpen::Nest)])).await.unwrap();
    assert!(between.revision > first.revision);
    let again = bus.decide(&proposal("one", "open", vec![open(IfOpen::Nest)])).await.unwrap();
    assert_eq!(again.revision, first.revision);
    let (Verdict::Decided { decision: before, .. }, Verdict::Decided { decision: after, repeated, .. }) =
        (first.verdict, again.verdict)
    else {
        panic!("both are decisions")
    };
    assert!(repeated);
    assert_eq!(before, after);
    let other = bus.decide(&proposal("one", "close", vec![Action::CloseTicket(Which::All)])).await;
    assert!(matches!(other, Err(DecideError::Refused(Refusal::CommandReused))));
}

#[tokio::test]
async fn deciders_at_once_never_open_two_tickets_where_one_was_asked_for() {
    let (server, bus) = bus().await;
    let other = connect(&server.url()).await;
    let outcomes =
        join_all((0..40).map(|n| {
            let bus = if n % 2 == 0 { &bus } else { &other };
            async move {
                bus.decide(&proposal(&format!("open-{n}"), "open", vec![open(IfOpen::ReturnPrimary)])).await.unwrap()
            }
        }))
        .await;
    let opened = outcomes.iter().filter(|outcome| matches!(outcome.verdict, Verdict::Decided { .. })).count();
    assert_eq!(opened, 1);
    let state = bus.state("acme", &conversation()).await.unwrap();
    assert_eq!(state.open.len(), 1);
    assert!(outcomes.iter().all(|outcome| outcome.revision == state.revision));
}

#[tokio::test]
async fn what_is_decided_on_a_loaded_state_follows_it_or_is_a_conflict() {
    let (_server, bus) = bus().await;
    let empty = bus.load("acme", &conversation()).await.unwrap();
    assert_eq!((empty.revision(), empty.last().is_none()), (0, true));
    let first = bus.decide_on(&empty, &proposal("one", "open", vec![open(IfOpen::Nest)])).await.unwrap();
    let late = bus.decide_on(&empty, &proposal("two", "open", vec![open(IfOpen::Nest)])).await;
    assert!(matches!(late, Err(DecideError::Bus(bus::Error::Conflict))), "{late:?}");
    let loaded = bus.load("acme", &conversation()).await.unwrap();
    assert_eq!((loaded.revision(), loaded.state().open.len()), (first.revision, 1));
    let again = bus.decide_on(&loaded, &proposal("one", "open", vec![open(IfOpen::Nest)])).await.unwrap();
    assert!(matches!(again.verdict, Verdict::Decided { repeated: true, .. }));
    let elsewhere = bus::Proposal { workspace: "rival".to_owned(), ..proposal("three", "open", vec![]) };
    assert!(bus.decide_on(&loaded, &elsewhere).await.is_err());
}

/// Every decision that was answered is on the stream exactly once, whatever happens to the server meanwhile, and each
/// carries on from the one before it.
#[tokio::test]
async fn a_killed_server_loses_and_doubles_no_decision() {
    let (mut server, bus) = bus().await;
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let bus = bus.clone();
            tokio::spawn(async move {
                let mut done = Vec::new();
                for nth in 0..testkit::count("decisions-under-kills", 25, 400) {
                    let id = format!("{writer}-{nth}");
                    let tag = Action::AddNote { sealed: id.clone().into_bytes() };
                    // An answer that does not come is asked for again under the same command id.
                    loop {
                        if bus.decide(&proposal(&id, "note", vec![tag.clone()])).await.is_ok() {
                            break done.push(id);
                        }
                    }
                }
                done
            })
        })
        .collect();
    for _ in 0..testkit::count("kills-while-deciding", 3, 30) {
        tokio::time::sleep(Duration::from_millis(60)).await;
        server.kill();
        server.restart().await;
    }
    let answered: usize = join_all(writers).await.into_iter().map(|done| done.unwrap().len()).sum();
    let mut ordinal = 0;
    let mut notes = BTreeSet::new();
    for (_, event) in everything(&bus).await {
        let Some(v1::event::Event::Decided(decided)) = event.event else { panic!("only decisions were made") };
        ordinal += 1;
        assert_eq!(decided.after.unwrap().message_ordinal, ordinal, "each carries on from the one before");
        let Some(v1::decided_entry::Entry::Note(note)) = &decided.entries[0].entry else { panic!("a note") };
        assert!(notes.insert(note.sealed.clone()), "decided twice");
    }
    assert_eq!(notes.len(), answered);
}

#[tokio::test]
async fn a_decision_based_on_an_old_revision_is_refused() {
    let (_server, bus) = bus().await;
    let first = bus.decide(&proposal("one", "open", vec![open(IfOpen::Nest)])).await.unwrap().revision;
    let second = bus.decide(&proposal("two", "open", vec![open(IfOpen::Nest)])).await.unwrap().revision;
    let mut stale = proposal("three", "open", vec![open(IfOpen::Nest)]);
    stale.command.expected_revision = Some(first);
    let refused = bus.decide(&stale).await;
    assert!(matches!(refused, Err(DecideError::Refused(Refusal::MovedOn { revision })) if revision == second));
    stale.command.expected_revision = Some(second);
    assert!(bus.decide(&stale).await.is_ok());
}
