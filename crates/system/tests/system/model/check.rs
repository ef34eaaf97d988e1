//! A world that has been played: each case by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bus::Bus;
use proto::v1;

use super::case::{Answer, Call, Case};
use super::census::Census;
use super::decided::echo;
use super::play::Stage;
use super::{answers, decided, told};
use crate::deployment::Clients;
use crate::log::rejected;

/// What was decided, what was answered, and that nothing is lost or doubled. `events` are those of the workspace.
///
/// # Panics
/// Where a case is not what the oracle says.
pub(crate) async fn check_cases(
    bus: &Bus,
    cases: &[Arc<Case>],
    clients: &Clients,
    events: &[(u64, v1::Event)],
    newest: u64,
    census: &mut Census,
) {
    let mut of_case: BTreeMap<&str, Vec<(u64, v1::Event)>> = BTreeMap::new();
    for (revision, event) in events {
        of_case.entry(&event.conversation).or_default().push((*revision, event.clone()));
    }
    assert_eq!(of_case.len(), cases.len(), "W1: each contact has one conversation");
    for case in cases {
        let events = &of_case[case.conversation.as_str()];
        let calls = calls(bus, case).await;
        let mut met = Census::default();
        let checked = decided::check(case, &calls, events)
            .and_then(|past| answers::check(case, &calls, &past, &mut met).map(|()| past));
        let past =
            checked.unwrap_or_else(|difference| panic!("case {} of {}: {difference}", case.seed, case.workspace));
        let ids: BTreeSet<&String> = past.iter().map(|past| &past.command.id).collect();
        met.met_times("forgotten and decided anew", past.len() - ids.len());
        met.met_times("told again", repeats(events));
        census.add(&met);
        told::check(case, clients, events, newest).await;
    }
}

/// Every call; those for echoes by the ids of their events.
async fn calls(bus: &Bus, case: &Case) -> Vec<Call> {
    let keys = bus.workspace(&case.workspace).await.unwrap();
    let mut calls = case.read(|journal| journal.calls.clone());
    for call in calls.iter_mut().filter(|call| matches!(call.answer, Answer::Taken)) {
        let id = call.command.id.strip_prefix("echo ").unwrap();
        call.command = echo(&keys.message_ref(&case.channel, id));
    }
    calls
}

/// How many events stand on the stream again.
fn repeats(events: &[(u64, v1::Event)]) -> usize {
    let ids: BTreeSet<&String> = events.iter().map(|(_, event)| &event.id).collect();
    events.len() - ids.len()
}

/// Whatever could not become an event lies in REJECTED, and nothing else does.
///
/// # Panics
/// When that is not so.
pub(crate) async fn rejected_are(bus: &Bus, stage: &Stage) {
    let kept: BTreeSet<String> = rejected(bus).await.into_iter().map(|(_, raw)| raw).collect();
    let sent = stage.bad.lock().unwrap().clone();
    assert!(kept == sent, "{} are kept, {} were sent", kept.len(), sent.len());
}
