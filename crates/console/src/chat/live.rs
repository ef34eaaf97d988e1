//! What happens in a chat while somebody looks at it, as server-sent events.
//!
//! The id of each event is a place in the log. A browser that lost its connection says the last one it saw, and gets
//! everything behind it; an entry that it has already is drawn again in its place.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, StreamExt as _};
use proto::v1;
use serde_json::json;
use tonic::{Status, Streaming};
use v1::watch_timeline_response::Event as Seen;

use super::handlers::draw_panel;
use super::lanes::Lanes;
use super::load::Asked;
use super::row::{Rows, id, key, kind};
use crate::failure::Failure;
use crate::server::Shared;
use crate::services::Staff;
use crate::session::Who;
use crate::words::{Fields, field};

/// How long a browser waits before it connects again.
const RETRY: Duration = Duration::from_secs(1);
/// Tells proxies that the connection is alive.
const PULSE: Duration = Duration::from_secs(20);

/// Sends entries, changes of entries and the panel, until the browser goes or shutdown begins.
pub(crate) async fn live(
    State(app): State<Shared>,
    who: Who,
    Path(conversation): Path<String>,
    headers: HeaderMap,
    Query(asked): Query<Fields>,
) -> Result<impl IntoResponse, Failure> {
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let (revision, index) = place(last.unwrap_or(field(&asked, "after")));
    let mut watch = Watch { app, who, conversation, lanes: Lanes::default(), shown: 0 };
    watch.refresh(0).await?;
    let request = v1::WatchTimelineRequest {
        workspace: watch.who.workspace.clone(),
        conversation_id: watch.conversation.clone(),
        after_revision: revision,
        after_index: index,
        min_revision: 0,
    };
    let answers = watch.who.services.watches().watch_timeline(request).await?.into_inner();
    let shutdown = watch.app.shutdown.clone();
    let hello = stream::once(async { Event::default().event("hello").retry(RETRY).data("{}") });
    let events = stream::unfold((watch, answers), |(mut watch, mut answers)| async move {
        let events = watch.next(&mut answers).await?;
        Some((stream::iter(events), (watch, answers)))
    });
    let until = Box::pin(async move { shutdown.begun().await });
    let events = hello.chain(events.flatten()).take_until(until).map(Ok::<_, Infallible>);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(PULSE)))
}

/// "17-2", or "17" for all of revision 17.
fn place(text: &str) -> (i64, u32) {
    let (revision, index) = text.split_once('-').unwrap_or((text, "4294967295"));
    (revision.parse().unwrap_or(0), index.parse().unwrap_or(u32::MAX))
}

struct Watch {
    app: Shared,
    who: Who,
    conversation: String,
    lanes: Lanes,
    /// The conversation's revision that the panel was drawn of.
    shown: i64,
}

impl Watch {
    /// The next events; `None` when the service ends: the browser connects again.
    async fn next(&mut self, answers: &mut Streaming<v1::WatchTimelineResponse>) -> Option<Vec<Event>> {
        let answer = answers.message().await.ok().flatten()?;
        let place = format!("{}-{}", answer.revision, answer.index);
        match answer.event {
            Some(Seen::Entry(entry)) => self.entry(&entry, &place).await.ok(),
            _ => self.beat(&place).await.ok(),
        }
    }

    async fn entry(&mut self, entry: &v1::TimelineEntry, place: &str) -> Result<Vec<Event>, Status> {
        let mut events = Vec::new();
        let mut staff = Staff::default();
        // Nothing but a stamp names anybody, or changes a window.
        if kind(entry).is_some() {
            self.refresh(entry.revision).await?;
            staff = self.who.services.staff(&self.who.workspace).await?;
            events.push(self.panel(entry.revision).await?);
        }
        let rows = Rows { who: &self.who, conversation: &self.conversation, staff: &staff, lanes: &self.lanes };
        let html = rows.row(entry, false, &HashMap::new()).into_string();
        let data = json!({
            "id": id(entry), "key": key(entry), "revision": entry.revision, "html": html, "lanes": self.lanes.width(),
        });
        events.insert(0, Event::default().event("entry").id(place).data(data.to_string()));
        Ok(events)
    }

    /// Nothing was said; but a tag may have come or gone, which is no entry.
    async fn beat(&mut self, place: &str) -> Result<Vec<Event>, Status> {
        let mut events = vec![Event::default().event("beat").id(place).data("{}")];
        let now = self.ask(0).conversation().await?.revision;
        if now > self.shown {
            events.push(self.panel(now).await?);
        }
        Ok(events)
    }

    async fn panel(&mut self, revision: i64) -> Result<Event, Status> {
        self.shown = self.shown.max(revision);
        let html = draw_panel(&self.who, &self.ask(revision)).await?;
        Ok(Event::default().event("panel").data(json!({ "html": html }).to_string()))
    }

    async fn refresh(&mut self, revision: i64) -> Result<(), Status> {
        self.lanes = self.ask(revision).lanes().await?;
        Ok(())
    }

    fn ask(&self, min_revision: i64) -> Asked<'_> {
        Asked {
            services: &self.who.services,
            workspace: &self.who.workspace,
            conversation: &self.conversation,
            min_revision,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_place_is_read_from_an_events_id() {
        assert_eq!(place("17-2"), (17, 2));
        assert_eq!(place("17"), (17, u32::MAX));
        assert_eq!(place("nonsense"), (0, u32::MAX));
    }
}
