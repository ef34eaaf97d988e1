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
use tonic::{Code, Status};

use crate::server::Shared;
use crate::session::Who;

/// How often it is asked.
const LOOK: Duration = Duration::from_millis(800);
/// Conversations with the newest activity that are compared. Whatever happens in another one brings it here.
const NEWEST: i32 = 40;

/// Who listens to which workspace.
#[derive(Debug, Default)]
pub(crate) struct Changes(Mutex<HashMap<String, watch::Sender<u64>>>);

impl Changes {
    /// Counts up whenever something changed. The workspace is looked at until nobody listens any more, with the token of
    /// who came first; when that ends, so does this, and whoever listened asks again with their own.
    pub(crate) fn of(&self, app: &Shared, who: &Who) -> watch::Receiver<u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(&who.workspace).filter(|known| known.receiver_count() > 0) {
            return known.subscribe();
        }
        let (sender, receiver) = watch::channel(0);
        all.insert(who.workspace.clone(), sender.clone());
        tokio::spawn(look(Arc::clone(app), who.clone(), sender));
        receiver
    }

    fn forget(&self, workspace: &str, tell: &watch::Sender<u64>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.get(workspace).is_some_and(|known| known.same_channel(tell)) {
            all.remove(workspace);
        }
    }
}

async fn look(app: Shared, who: Who, tell: watch::Sender<u64>) {
    let mut seen = None;
    while tell.receiver_count() > 0 && !app.shutdown.is_begun() {
        match digest(&who).await {
            Ok(now) if seen.replace(now).is_some_and(|before| before != now) => tell.send_modify(|count| *count += 1),
            Err(status) if matches!(status.code(), Code::Unauthenticated | Code::PermissionDenied) => {
                app.changes.forget(&who.workspace, &tell);
                return;
            }
            // While the services are away nothing changes; what did meanwhile is seen when they are back.
            _ => {}
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Another one whenever a conversation that stands at the top changed, or one moved between views.
async fn digest(who: &Who) -> Result<u64, Status> {
    let list = v1::ListConversationsRequest {
        workspace: who.workspace.clone(),
        page_size: NEWEST,
        ..v1::ListConversationsRequest::default()
    };
    let count = v1::CountConversationsRequest { workspace: who.workspace.clone(), min_revision: 0 };
    let mut asks = (who.services.tickets(), who.services.tickets());
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
