//! Somebody looks at a chat while it goes on, loses the connection now and then, and goes on from where they were.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use proto::v1;
use tokio::task::JoinHandle;
use v1::watch_timeline_response::Event;

use super::case::Case;
use super::play::Stage;
use crate::adapter::nanos;
use crate::deployment::{Clients, is_away, patiently};

/// Before asking again where nobody answers.
const PAUSE: Duration = Duration::from_millis(20);

/// What was seen: the newest form of each entry.
type Seen = Arc<Mutex<BTreeMap<(i64, u32), v1::TimelineEntry>>>;

/// Watches one chat until it is dropped.
pub(crate) struct Watcher {
    seen: Seen,
    watching: JoinHandle<()>,
    case: Arc<Case>,
    clients: Clients,
}

impl Watcher {
    /// From the beginning of the chat.
    pub(crate) fn start(stage: &Stage, case: &Arc<Case>) -> Watcher {
        let (seen, clients) = (Seen::default(), stage.endpoints.clients());
        let watching = tokio::spawn(watch(clients.clone(), case.clone(), seen.clone()));
        Watcher { seen, watching, case: case.clone(), clients }
    }

    /// Waits until what was seen is the whole chat as it is.
    ///
    /// # Panics
    /// When that does not come.
    pub(crate) async fn sees_all(self) {
        let request = v1::ListTimelineRequest {
            workspace: self.case.workspace.clone(),
            conversation_id: self.case.conversation.clone(),
            page_size: 1_000,
            direction: v1::list_timeline_request::Direction::Newer.into(),
            min_revision: i64::try_from(self.case.newest()).unwrap(),
            ..v1::ListTimelineRequest::default()
        };
        patiently("the whole chat to be seen", || async {
            // While something is killed there is no answer; then somebody else may still add to the chat.
            let listed = self.clients.tickets.clone().list_timeline(request.clone()).await.ok()?.into_inner().entries;
            let mut seen: Vec<v1::TimelineEntry> = self.seen.lock().unwrap().values().cloned().collect();
            seen.sort_by_key(|entry| (nanos(entry.time.as_ref()), entry.revision, entry.index));
            (seen == listed).then_some(())
        })
        .await;
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

async fn watch(clients: Clients, case: Arc<Case>, seen: Seen) {
    let mut random = Rng::with_seed(case.seed);
    let (mut after_revision, mut after_index) = (0, 0);
    loop {
        let request = v1::WatchTimelineRequest {
            workspace: case.workspace.clone(),
            conversation_id: case.conversation.clone(),
            after_revision,
            after_index,
            min_revision: i64::try_from(case.newest()).unwrap(),
        };
        let Ok(answers) = clients.tickets.clone().watch_timeline(request).await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let mut answers = answers.into_inner();
        for _ in 0..random.usize(1..40) {
            let answer = match answers.message().await {
                Ok(Some(answer)) => answer,
                Err(status) if !is_away(&status) => panic!("{status}"),
                Ok(None) | Err(_) => break,
            };
            (after_revision, after_index) = (answer.revision, answer.index);
            if let Some(Event::Entry(entry)) = answer.event {
                seen.lock().unwrap().insert((entry.revision, entry.index), entry);
            }
        }
    }
}
