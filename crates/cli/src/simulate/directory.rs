use std::collections::HashMap;
use std::time::Duration;

use proto::v1;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use crate::client::{Client, timely};

/// Pages of the newest conversations that are looked through.
const PAGE: i32 = 500;
const PAGES: usize = 20;
/// How long a new conversation may take until the view shows it.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

/// Which conversation is whose: agents find it as people do, in the list of the newest.
pub(super) struct Directory {
    client: Client,
    workspace: String,
    channel: String,
    known: Mutex<HashMap<String, String>>,
}

impl Directory {
    pub(super) fn new(client: Client, workspace: &str, channel: String) -> Directory {
        Directory { client, workspace: workspace.to_owned(), channel, known: Mutex::default() }
    }

    /// The conversation of a customer who has written; `None` when it does not show in time.
    pub(super) async fn find(&self, number: &str) -> Option<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // One looks at a time: what is found serves all.
            let mut known = self.known.lock().await;
            if let Some(conversation) = known.get(number) {
                return Some(conversation.clone());
            }
            self.look(&mut known, number).await;
            if let Some(conversation) = known.get(number) {
                return Some(conversation.clone());
            }
            drop(known);
            if Instant::now() >= deadline {
                return None;
            }
            sleep(PAUSE).await;
        }
    }

    async fn look(&self, known: &mut HashMap<String, String>, number: &str) {
        let mut page_token = String::new();
        for _ in 0..PAGES {
            let request = v1::ListConversationsRequest {
                workspace: self.workspace.clone(),
                channel: self.channel.clone(),
                page_size: PAGE,
                page_token,
                ..v1::ListConversationsRequest::default()
            };
            let Ok(page) = self.client.tickets().list_conversations(timely(request)).await else { return };
            let page = page.into_inner();
            for conversation in page.conversations {
                let contact = conversation.contact.map(|contact| contact.id).unwrap_or_default();
                known.insert(contact, conversation.id);
            }
            page_token = page.next_page_token;
            if page_token.is_empty() || known.contains_key(number) {
                return;
            }
        }
    }
}
