//! What became of the messages of a conversation: reports, edits, revocations, told in the order of the log.

use std::collections::{BTreeMap, BTreeSet};

use proto::v1;
use v1::event::Event as Wire;

/// By the id of the message's entry.
#[derive(Default)]
pub(super) struct Changes {
    /// Which entry a name stands for: the first that bore it.
    names: BTreeMap<String, String>,
    reports: BTreeMap<String, Vec<(u64, i32)>>,
    edited: BTreeSet<String>,
    revoked: BTreeSet<String>,
    /// Reports about a name that stands for nothing yet: when, what, and the other name that they give.
    waiting: BTreeMap<String, Vec<(u64, i32, String)>>,
}

impl Changes {
    pub(super) fn of(events: &[(u64, v1::Event)], conversation: &str) -> Changes {
        let mut changes = Changes::default();
        let mut seen = BTreeSet::new();
        for (revision, event) in events.iter().filter(|(_, event)| event.conversation == conversation) {
            if seen.insert(&event.id) {
                changes.take(*revision, event);
            }
        }
        changes
    }

    /// Compares a message as it is shown.
    pub(super) fn check(&self, given: &v1::Message) {
        let mut reports = self.reports.get(&given.id).cloned().unwrap_or_default();
        reports.sort_unstable();
        let wanted: Vec<i32> = reports.into_iter().map(|(_, status)| status).collect();
        let told: Vec<i32> = given.statuses.iter().map(|report| report.status).collect();
        assert_eq!(told, wanted, "reports of {}", given.id);
        assert_eq!(given.status, wanted.into_iter().max().unwrap_or_default(), "the status of {}", given.id);
        assert_eq!(given.edited, self.edited.contains(&given.id), "edited: {}", given.id);
        assert_eq!(given.revoked, self.revoked.contains(&given.id), "revoked: {}", given.id);
    }

    fn take(&mut self, revision: u64, event: &v1::Event) {
        match event.event.as_ref().unwrap() {
            Wire::MessageReceived(_) | Wire::MessageEchoed(_) | Wire::MessageBackfilled(_) => {
                self.name(&event.id, &event.id);
            }
            Wire::ContactChanged(contact) if !contact.r#type.is_empty() => self.name(&event.id, &event.id),
            Wire::Decided(decided) => self.decided(decided),
            Wire::MessageStatusChanged(status) => self.report(revision, status),
            Wire::ReactionChanged(change) => drop(self.target(&change.target_ref, &event.id)),
            Wire::MessageEdited(change) => {
                let edited = self.target(&change.target_ref, &event.id);
                self.edited.extend(edited);
            }
            Wire::MessageRevoked(change) => {
                let revoked = self.target(&change.target_ref, &event.id);
                self.revoked.extend(revoked);
            }
            Wire::ContactChanged(_) | Wire::MessagesRead(_) | Wire::ContactErased(_) => {}
        }
    }

    fn decided(&mut self, decided: &v1::Decided) {
        use v1::decided_entry::Entry;
        for entry in &decided.entries {
            match entry.entry.as_ref().unwrap() {
                Entry::Message(message) => self.name(&message.id, &message.id),
                Entry::Note(note) => self.name(&note.id, &note.id),
                Entry::Stamp(_) => {}
            }
        }
    }

    /// The entry that a change is about; without one the change is an entry of its own.
    fn target(&mut self, name: &str, own: &str) -> Option<String> {
        let target = self.names.get(name).cloned();
        if target.is_none() {
            self.name(own, own);
        }
        target
    }

    /// Lets a name stand for an entry, unless it does for another; what waited for it is told now.
    fn name(&mut self, name: &str, entry: &str) {
        if self.names.contains_key(name) {
            return;
        }
        self.names.insert(name.to_owned(), entry.to_owned());
        for (revision, status, other) in self.waiting.remove(name).unwrap_or_default() {
            self.tell(revision, status, &other, entry);
        }
    }

    fn tell(&mut self, revision: u64, status: i32, other: &str, entry: &str) {
        self.reports.entry(entry.to_owned()).or_default().push((revision, status));
        if !other.is_empty() {
            self.name(other, entry);
        }
    }

    fn report(&mut self, revision: u64, status: &v1::MessageStatusChanged) {
        let (reference, own) = (&status.message_ref, &status.message_id);
        // Our own id of the message goes before the channel's.
        let other = if own.is_empty() { String::new() } else { reference.clone() };
        match self.names.get(own).or_else(|| self.names.get(reference)).cloned() {
            Some(entry) => self.tell(revision, status.status, &other, &entry),
            None => {
                let name = if own.is_empty() { reference } else { own };
                self.waiting.entry(name.clone()).or_default().push((revision, status.status, other));
            }
        }
    }
}
