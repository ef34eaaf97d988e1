use conversation::Time;
use proto::v1;
use tonic::Status;
use v1::list_conversations_request::View as Choice;

use super::budget::Budget;
use super::mistakes::Mistakes;
use super::read::{decode, unreadable};
use super::search::Words;
use super::show_conversation::SealedConversation;
use crate::store::{Scan, View, prefix_end};
use crate::view::error::Error;
use crate::view::keys::{self, ConversationKey, Place, WorkspaceKey};
use crate::view::rows::ActivityRow;
use service::page_token::PageTokens;

/// ListConversations, as it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct ConversationList {
    pub(super) workspace: String,
    choice: Choice,
    agent: String,
    team: String,
    channel: String,
    /// What is searched for; none lists everything chosen.
    pub(super) words: Words,
    /// Where the page begins.
    pub(super) after: Option<Stand>,
    pub(super) size: usize,
    pub(super) tokens: PageTokens,
}

/// Where a conversation stands in the activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(super) time: Time,
    pub(super) conversation: ConversationKey,
}

/// Where a page begins: behind a conversation, or in the middle of searching it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stand {
    pub(super) spot: Spot,
    /// The entry behind which the search goes on, and which words were found so far.
    pub(super) inside: Option<(Place, u16)>,
}

impl Stand {
    pub(super) fn behind(spot: Spot) -> Stand {
        Stand { spot, inside: None }
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = [&keys::time_bytes(self.spot.time)[..], &self.spot.conversation.0].concat();
        if let Some((place, found)) = self.inside {
            bytes.extend(place.to_bytes());
            bytes.extend(found.to_be_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Stand> {
        let (spot, inside) = bytes.split_at_checked(24)?;
        // The bytes are those of an activity key behind its workspace and half.
        let (time, conversation) = keys::activity_parts(&[&[0; 10], spot].concat())?;
        let inside = match inside {
            [] => None,
            [place @ .., high, low] => Some((Place::from_bytes(place)?, u16::from_be_bytes([*high, *low]))),
            [_] => return None,
        };
        Some(Stand { spot: Spot { time, conversation }, inside })
    }
}

/// Conversations of a page, still sealed.
#[derive(Debug, Default)]
pub(crate) struct SealedConversations {
    pub(crate) conversations: Vec<SealedConversation>,
    pub(crate) next_page_token: String,
}

impl ConversationList {
    /// # Errors
    /// INVALID_ARGUMENT with all that is wrong.
    pub(crate) fn read(mut request: v1::ListConversationsRequest) -> Result<ConversationList, Status> {
        let mut mistakes = Mistakes::default();
        let size = mistakes.page_size(request.page_size);
        let token = std::mem::take(&mut request.page_token);
        mistakes.revision("min_revision", request.min_revision);
        (request.page_size, request.min_revision) = (0, 0);
        let tokens = PageTokens::new("ListConversations", &request);
        let after = mistakes.position(&tokens, &token, Stand::from_bytes);
        let choice: Choice = mistakes.known("view", request.view);
        match choice {
            Choice::Mine => mistakes.required_id("agent_id", &request.agent_id),
            Choice::Team => mistakes.required_id("team_id", &request.team_id),
            _ => {}
        }
        mistakes.id("channel", &request.channel);
        let words = Words::read(&request.query, &mut mistakes);
        mistakes.check()?;
        Ok(ConversationList {
            workspace: request.workspace,
            choice,
            agent: request.agent_id,
            team: request.team_id,
            channel: request.channel,
            words,
            after,
            size,
            tokens,
        })
    }

    /// The next page of a list that nothing is searched in.
    pub(crate) fn page(&self, view: &dyn View) -> Result<SealedConversations, Error> {
        let mut budget = Budget::for_page(self.size);
        let mut page = SealedConversations::default();
        let mut last: Option<Spot> = None;
        for row in self.walk(view, self.after.map(|stand| stand.spot)) {
            let (spot, row) = row?;
            if let Some(last) = last.filter(|_| !budget.goes_on()) {
                page.next_page_token = self.tokens.token(&Stand::behind(last).to_bytes());
                break;
            }
            budget.scan();
            last = Some(spot);
            if self.takes(&row)
                && let Some(conversation) = SealedConversation::load(view, spot.conversation)?
            {
                budget.take(conversation.bytes());
                page.conversations.push(conversation);
            }
        }
        Ok(page)
    }

    /// Whether a conversation belongs to the list, its words aside.
    pub(super) fn takes(&self, row: &ActivityRow) -> bool {
        let assigned = |names: fn(&v1::Assignee) -> &str, id: &str| {
            row.assignee.as_ref().is_some_and(|assignee| names(assignee) == id)
        };
        let chosen = match self.choice {
            Choice::Unspecified | Choice::All => true,
            Choice::Mine => assigned(|assignee| &assignee.agent_id, &self.agent),
            Choice::Team => assigned(|assignee| &assignee.team_id, &self.team),
            Choice::Unassigned => row.open_count > 0 && row.assignee.is_none(),
            Choice::Bot => row.open_count == 0 && row.assignee.is_none() && !row.bot_paused,
        };
        chosen && (self.channel.is_empty() || self.channel == row.channel)
    }

    /// Newest activity first, behind `after`, through the halves of the activity that can hold what is chosen.
    pub(super) fn walk<'a>(&self, view: &'a dyn View, after: Option<Spot>) -> Merge<'a> {
        let workspace = WorkspaceKey::of(&self.workspace);
        let half = |held: bool| {
            let prefix = keys::activity_prefix(workspace, held);
            let end = after.map(|spot| keys::activity(workspace, held, spot.time, spot.conversation));
            view.scan_back(&prefix, &end.unwrap_or_else(|| prefix_end(&prefix)))
        };
        let (free, held) = match self.choice {
            Choice::Unspecified | Choice::All => (Some(half(false)), Some(half(true))),
            Choice::Mine | Choice::Team | Choice::Unassigned => (None, Some(half(true))),
            Choice::Bot => (Some(half(false)), None),
        };
        Merge::new([free, held])
    }
}

type Item = Result<(Spot, ActivityRow), Error>;

/// The two halves of the activity as one, newest first.
pub(super) struct Merge<'a> {
    halves: [Option<Scan<'a>>; 2],
    next: [Option<Item>; 2],
}

impl<'a> Merge<'a> {
    fn new(halves: [Option<Scan<'a>>; 2]) -> Merge<'a> {
        let mut merge = Merge { halves, next: [None, None] };
        for half in 0..2 {
            merge.advance(half);
        }
        merge
    }

    fn advance(&mut self, half: usize) -> Option<Item> {
        let next = self.halves[half].as_mut().and_then(Iterator::next).map(|row| {
            let (key, value) = row?;
            let (time, conversation) = keys::activity_parts(&key).ok_or_else(|| unreadable(&key))?;
            Ok((Spot { time, conversation }, decode(&key, value)?))
        });
        std::mem::replace(&mut self.next[half], next)
    }
}

impl Iterator for Merge<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        // What can't be read goes first: nothing is behind it.
        let spot = |item: &Option<Item>| item.as_ref().map(|item| item.as_ref().ok().map(|(spot, _)| *spot));
        let half = match (spot(&self.next[0]), spot(&self.next[1])) {
            (None, None) => return None,
            (Some(_), None) | (Some(None), _) => 0,
            (None, Some(_)) | (_, Some(None)) => 1,
            (Some(Some(free)), Some(Some(held))) => usize::from(held > free),
        };
        self.advance(half)
    }
}
