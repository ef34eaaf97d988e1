//! What stands on EVENTS, and whether a view is what it amounts to.

use bus::{Bus, Reader};
use futures::StreamExt;
use prost::Message as _;
use proto::v1;

use crate::deployment::{Clients, DEADLINE};

/// Everything that was read off the stream so far.
pub(crate) struct Collected {
    bus: Bus,
    reader: Reader,
    events: Vec<(u64, v1::Event)>,
}

impl Collected {
    pub(crate) fn new(bus: &Bus) -> Collected {
        Collected { bus: bus.clone(), reader: bus.reader(0), events: Vec::new() }
    }

    /// Reads what was added. Returns the newest revision.
    pub(crate) async fn up_to_date(&mut self) -> u64 {
        let info = testkit::eventually("the stream", DEADLINE, async || self.bus.events_info().await.ok()).await;
        let newest = info.state.last_sequence;
        while self.events.last().map_or(0, |(revision, _)| *revision) < newest {
            let batch = tokio::time::timeout(DEADLINE, self.reader.next()).await.expect("the rest of the stream");
            self.events.extend(batch.iter().map(|recorded| (recorded.revision, recorded.event().unwrap())));
        }
        let revisions: Vec<u64> = self.events.iter().map(|(revision, _)| *revision).collect();
        // A batch may bring what was added since.
        let read = revisions.last().copied().unwrap_or(0);
        assert!(revisions.is_sorted() && revisions.len() as u64 == read, "nothing is ever deleted from EVENTS");
        read
    }

    pub(crate) fn all(&self) -> &[(u64, v1::Event)] {
        &self.events
    }

    pub(crate) fn of_workspace(&self, workspace: &str) -> Vec<(u64, v1::Event)> {
        self.events.iter().filter(|(_, event)| event.workspace == workspace).cloned().collect()
    }
}

/// What lies in REJECTED: the reason and the bytes.
pub(crate) async fn rejected(bus: &Bus) -> Vec<(String, String)> {
    let stream = bus.jetstream().get_stream("REJECTED").await.unwrap();
    let last = stream.get_info().await.unwrap().state.last_sequence;
    let read = futures::stream::iter(1..=last).then(async |sequence| {
        let message = stream.get_raw_message(sequence).await.unwrap();
        let rejected = v1::Rejected::decode(message.payload).unwrap();
        let keys = bus.workspace(&rejected.workspace).await.unwrap();
        let raw = String::from_utf8_lossy(&keys.open(&rejected.sealed).unwrap()).into_owned();
        (rejected.reason, raw)
    });
    read.collect().await
}

/// The view equals one built anew from the log, byte for byte.
///
/// # Panics
/// When it does not, or the rebuild does not end.
pub(crate) async fn verify(clients: &Clients) {
    let request = v1::VerifyProjectionRequest {};
    let mut progress = clients.projection.clone().verify_projection(request).await.unwrap().into_inner();
    let verdict = loop {
        let told = progress.message().await.unwrap().expect("a verdict at the end");
        if let Some(verdict) = told.verdict {
            break verdict;
        }
    };
    assert!(verdict.equal && verdict.live_hash == verdict.rebuilt_hash, "{verdict:?}");
    assert!(!verdict.live_hash.is_empty());
}
