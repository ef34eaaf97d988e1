//! That something changed in a workspace: asked once for all who look at it, and only while somebody does.
//!
//! It is asked and not watched, since no stream tells of all that happens in a workspace: WatchTickets knows nothing of
//! messages. Two questions cost a few milliseconds each time, however many inboxes are open.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use proto::v1;
use tokio::sync::watch;
use tonic::Status;

use crate::server::{App, Shared};

/// How often it is asked.
const LOOK: Duration = Duration::from_millis(800);
/// Conversations with the newest activity that are compared. Whatever happens in another one brings it here.
const NEWEST: i32 = 40;

/// Who listens to which workspace.
#[derive(Debug, Default)]
pub(crate) struct Changes(Mutex<HashMap<String, watch::Sender<u64>>>);

impl Changes {
    /// Counts up whenever something changed. The workspace is looked at until nobody listens any more.
    pub(crate) fn of(&self, app: &Shared, workspace: &str) -> watch::Receiver<u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(workspace).filter(|known| known.receiver_count() > 0) {
            return known.subscribe();
        }
        let (sender, receiver) = watch::channel(0);
        all.insert(workspace.to_owned(), sender.clone());
        tokio::spawn(look(Arc::clone(app), workspace.to_owned(), sender));
        receiver
    }
}

async fn look(app: Shared, workspace: String, tell: watch::Sender<u64>) {
    let mut seen = None;
    while tell.receiver_count() > 0 && !app.shutdown.is_begun() {
        // While the services are away nothing changes; what did meanwhile is seen when they are back.
        if let Ok(now) = digest(&app, &workspace).await
            && seen.replace(now).is_some_and(|before| before != now)
        {
            tell.send_modify(|count| *count += 1);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Another one whenever a conversation that stands at the top changed, or one moved between views.
async fn digest(app: &App, workspace: &str) -> Result<u64, Status> {
    let list = v1::ListConversationsRequest {
        workspace: workspace.to_owned(),
        page_size: NEWEST,
        ..v1::ListConversationsRequest::default()
    };
    let count = v1::CountConversationsRequest { workspace: workspace.to_owned(), min_revision: 0 };
    let mut asks = (app.services.tickets(), app.services.tickets());
    let (list, count) = tokio::try_join!(asks.0.list_conversations(list), asks.1.count_conversations(count))?;
    let mut hasher = DefaultHasher::new();
    for conversation in &list.get_ref().conversations {
        (&conversation.id, conversation.revision, conversation.unread_count).hash(&mut hasher);
    }
    let counts = count.get_ref();
    (counts.all_count, counts.unassigned_count, counts.bot_count).hash(&mut hasher);
    for assigned in &counts.assigned {
        let names = assigned.assignee.as_ref().map(|assignee| (&assignee.agent_id, &assignee.team_id));
        (names, assigned.count).hash(&mut hasher);
    }
    Ok(hasher.finish())
}
