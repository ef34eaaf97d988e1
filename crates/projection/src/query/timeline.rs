use conversation::Time;
use proto::v1;
use tonic::Status;
use v1::list_timeline_request::Direction;

use super::budget::Budget;
use super::mistakes::Mistakes;
use super::read::{decode, unreadable};
use super::show_entry::Placed;
use crate::store::{Scan, View, prefix_end};
use crate::view::error::Error;
use crate::view::keys::{self, ConversationKey, Place};
use service::page_token::PageTokens;

/// ListTimeline, as it was asked for.
#[derive(Debug)]
pub(crate) struct TimelinePage {
    pub(crate) workspace: String,
    pub(crate) conversation: String,
    newest_first: bool,
    from: Option<Time>,
    /// Where the page begins: behind this place.
    after: Option<Place>,
    size: usize,
    tokens: PageTokens,
}

/// Entries of a page, still sealed.
#[derive(Debug, Default)]
pub(crate) struct SealedPage {
    pub(crate) entries: Vec<Placed>,
    pub(crate) next_page_token: String,
}

impl TimelinePage {
    /// # Errors
    /// INVALID_ARGUMENT with all that is wrong.
    pub(crate) fn read(mut request: v1::ListTimelineRequest) -> Result<TimelinePage, Status> {
        let mut mistakes = Mistakes::default();
        mistakes.required_id("conversation_id", &request.conversation_id);
        let size = mistakes.page_size(request.page_size);
        let token = std::mem::take(&mut request.page_token);
        mistakes.revision("min_revision", request.min_revision);
        (request.page_size, request.min_revision) = (0, 0);
        let tokens = PageTokens::new("ListTimeline", &request);
        let after = mistakes.position(&tokens, &token, Place::from_bytes);
        let direction: Direction = mistakes.known("direction", request.direction);
        let from = mistakes.time("from_time", request.from_time.as_ref());
        mistakes.check()?;
        let newest_first = direction != Direction::Newer;
        let (workspace, conversation) = (request.workspace, request.conversation_id);
        Ok(TimelinePage { workspace, conversation, newest_first, from, after, size, tokens })
    }

    /// The next page; `None` when there is no such conversation. An entry's place never changes, so what arrives
    /// meanwhile neither hides nor repeats another.
    pub(crate) fn page(&self, view: &dyn View) -> Result<Option<SealedPage>, Error> {
        let mut budget = Budget::for_page(self.size);
        let mut page = SealedPage::default();
        let mut last: Option<Place> = None;
        for row in self.scan(view) {
            let (key, value) = row?;
            if let Some(last) = last.filter(|_| !budget.goes_on()) {
                page.next_page_token = self.tokens.token(&last.to_bytes());
                break;
            }
            budget.scan();
            let length = value.len();
            let placed = placed(&key, value)?;
            last = Some(placed.place);
            if !placed.row.hidden {
                budget.take(length);
                page.entries.push(placed);
            }
        }
        // Whatever has an entry is there.
        let known = last.is_some() || view.get(&keys::conversation(self.key()))?.is_some();
        Ok(known.then_some(page))
    }

    fn key(&self) -> ConversationKey {
        ConversationKey::of(&self.workspace, &self.conversation)
    }

    fn scan<'a>(&self, view: &'a dyn View) -> Scan<'a> {
        let conversation = self.key();
        let all = keys::timeline_prefix(conversation);
        let from = self.from.map(|from| keys::timeline_from(conversation, from));
        let after = self.after.map(|place| keys::entry(conversation, place));
        if self.newest_first {
            let end = [from, after].into_iter().flatten().min().unwrap_or_else(|| prefix_end(&all));
            view.scan_back(&all, &end)
        } else {
            // The first key behind the place: no key is longer.
            let after = after.map(|mut key| {
                key.push(0);
                key
            });
            let start = [from, after].into_iter().flatten().max();
            view.scan(&start.unwrap_or_else(|| all.clone()), &prefix_end(&all))
        }
    }
}

/// The entry in a row of the timeline.
pub(crate) fn placed(key: &[u8], value: impl prost::bytes::Buf) -> Result<Placed, Error> {
    let place = keys::entry_place(key).ok_or_else(|| unreadable(key))?;
    Ok(Placed { place, row: decode(key, value)? })
}
