//! Conversations: how each stands, and which a list holds.

use std::collections::BTreeSet;

use fastrand::Rng;
use oracle::Conversation;
use proto::v1;
use v1::list_conversations_request::View as Choice;

use super::Read;
use crate::adapter::{self, nanos};

impl Read<'_> {
    pub(super) async fn conversations(&self, random: &mut Rng) {
        for (id, wanted) in &self.view.conversations {
            let request = v1::GetConversationRequest {
                workspace: self.name(),
                conversation_id: id.clone(),
                min_revision: self.min_revision(),
            };
            let given = self.clients().tickets.clone().get_conversation(request).await.unwrap().into_inner();
            self.stands(&given, wanted);
        }
        let choices = [
            (Choice::Unspecified, "", ""),
            (Choice::All, "", ""),
            (Choice::Mine, "ann", ""),
            (Choice::Unassigned, "", ""),
            (Choice::Bot, "", ""),
            (Choice::Team, "", "billing"),
        ];
        for (choice, agent, team) in choices {
            let listed = self.list(choice, agent, team, random).await;
            let takes = |wanted: &&Conversation| takes(choice, agent, team, wanted);
            let wanted: BTreeSet<&String> =
                self.view.conversations.values().filter(takes).map(|wanted| &wanted.id).collect();
            let given: BTreeSet<&String> = listed.iter().map(|given| &given.id).collect();
            assert_eq!(given, wanted, "{choice:?}");
            assert_eq!(given.len(), listed.len(), "{choice:?} lists a conversation twice");
            newest_first(&listed);
        }
    }

    fn stands(&self, given: &v1::Conversation, wanted: &Conversation) {
        let id = &wanted.id;
        assert_eq!((&given.id, given.workspace.as_str()), (id, self.workspace.name));
        assert_eq!(given.channel, self.channels[id], "{id}");
        assert_eq!(given.assignee.as_ref().map(adapter::assignee), wanted.assignee, "{id}");
        assert_eq!(given.tags.iter().cloned().collect::<BTreeSet<_>>(), wanted.tags, "{id}");
        assert_eq!(given.bot_paused, wanted.bot_paused, "{id}");
        assert_eq!(given.open_ticket_ids, wanted.open, "{id}");
        assert_eq!(given.open_ticket_count as usize, wanted.open.len(), "{id}");
        assert_eq!(given.last_entry_time.as_ref().map(|time| nanos(Some(time))), wanted.last_entry_time, "{id}");
        assert_eq!(u64::try_from(given.revision).unwrap(), wanted.revision, "{id}");
        assert_eq!(given.unread_count, self.unread(id), "{id}");
    }

    /// Live messages of the customer since an agent last wrote or marked the chat read, counted one by one.
    fn unread(&self, conversation: &str) -> u32 {
        use v1::event::Event as Wire;
        let (mut read, mut inbound) = (0, Vec::new());
        let mut seen = BTreeSet::new();
        let timeline = &self.view.conversations[conversation].timeline;
        let live = |revision: u64| timeline.iter().any(|line| line.revision == revision && !line.late);
        for (revision, event) in self.workspace.events.iter().filter(|(_, event)| event.conversation == conversation) {
            if !seen.insert(&event.id) {
                continue;
            }
            let by_agent = event.actor.as_ref().is_some_and(|actor| actor.kind() == v1::actor::Kind::Agent);
            match event.event.as_ref().unwrap() {
                Wire::MessageReceived(_) if live(*revision) => inbound.push(*revision),
                Wire::MessageEchoed(_) if live(*revision) => read = *revision,
                Wire::Decided(decided) if by_agent && says(decided) => read = *revision,
                Wire::MessagesRead(mark) => read = read.max(u64::try_from(mark.through_revision).unwrap()),
                _ => {}
            }
        }
        u32::try_from(inbound.iter().filter(|revision| **revision > read).count()).unwrap()
    }

    /// All pages, of random sizes.
    async fn list(&self, choice: Choice, agent: &str, team: &str, random: &mut Rng) -> Vec<v1::Conversation> {
        let mut all = Vec::new();
        let mut request = v1::ListConversationsRequest {
            workspace: self.name(),
            view: choice.into(),
            agent_id: agent.to_owned(),
            team_id: team.to_owned(),
            min_revision: self.min_revision(),
            ..v1::ListConversationsRequest::default()
        };
        loop {
            request.page_size = random.i32(1..40);
            let page = self.clients().tickets.clone().list_conversations(request.clone()).await.unwrap().into_inner();
            assert!(page.conversations.len() <= usize::try_from(request.page_size).unwrap());
            all.extend(page.conversations);
            if page.next_page_token.is_empty() {
                return all;
            }
            request.page_token = page.next_page_token;
        }
    }
}

fn says(decided: &v1::Decided) -> bool {
    use v1::decided_entry::Entry;
    decided.entries.iter().any(|entry| matches!(entry.entry, Some(Entry::Message(_))))
}

fn takes(choice: Choice, agent: &str, team: &str, conversation: &Conversation) -> bool {
    let assignee = conversation.assignee.as_ref();
    match choice {
        Choice::Unspecified | Choice::All => true,
        Choice::Mine => assignee.is_some_and(|assignee| assignee.agent == agent),
        Choice::Unassigned => assignee.is_none() && !conversation.open.is_empty(),
        Choice::Bot => assignee.is_none() && conversation.open.is_empty() && !conversation.bot_paused,
        Choice::Team => assignee.is_some_and(|assignee| assignee.team == team),
    }
}

/// Where there is activity at all.
fn newest_first(listed: &[v1::Conversation]) {
    let times: Vec<i64> =
        listed.iter().filter_map(|given| given.last_entry_time.as_ref()).map(|time| nanos(Some(time))).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older), "not newest first: {times:?}");
}
