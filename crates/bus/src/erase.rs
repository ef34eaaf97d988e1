//! Erasing the contact of a conversation.
//!
//! First a mark: from then on no process unseals, seals or finds anything of the conversation. Then all that holds a
//! name in the clear is overwritten, then the key, then the log is told. What is sealed needs no search: without the key
//! it is noise. Each step may be done again, so an erasure that broke off is finished by asking for it again.

use std::collections::BTreeSet;
use std::time::Duration;

use conversation::{ConversationId, Revision};
use prost::Message as _;
use proto::v1;
use proto::v1::erase_contact_response::Step;
use proto::v1::event::Event as Kind;

use crate::key::key_name;
use crate::keyrings::mark_key;
use crate::kv::Bucket;
use crate::shred::{Sweep, shred};
use crate::{Bus, Error, Files, Keyring, Owner, TraceParent, now, partition, stream};

/// How long every process may take until it knows of the mark: one that is cut off notices within two heartbeats of
/// 2 s and a little, and what it had in hand then ends with its own deadline. Words that it seals later are lost with
/// the key, so nothing is removed before.
const HEARD: Duration = Duration::from_secs(6);
/// Addresses of one contact that are looked for; a contact that changed its number more often keeps the older ones in
/// what other systems told of it.
const ADDRESSES: usize = 1_000;
/// Shorter addresses are looked for nowhere: they would be found in everything.
const SHORTEST: usize = 4;

/// What a step removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Which step.
    pub step: Step,
    /// How many things.
    pub count: u64,
    /// Of the last step: where the log says so; else 0.
    pub revision: Revision,
}

/// Why nobody was erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// No such conversation.
    #[error("no such conversation")]
    Unknown,
    /// A ticket is open, which nobody could close later.
    #[error("a ticket is open")]
    TicketOpen,
    /// The bus did not do it: what was done so far stays done, and the rest is done when it is asked for again.
    #[error(transparent)]
    Bus(#[from] Error),
}

/// Names of the contact and of the conversation, as they would stand in what others wrote.
pub(crate) struct Traces(BTreeSet<String>);

impl Traces {
    /// Those of one conversation, read from the log.
    pub(crate) async fn of(
        bus: &Bus,
        workspace: &str,
        conversation: &ConversationId,
        keyring: Option<&Keyring>,
    ) -> Result<Traces, Error> {
        let mut all = BTreeSet::new();
        if let Some(keyring) = keyring {
            let mut log = Sweep::open(bus, stream::EVENTS, log_filter(workspace, conversation)).await?;
            while let Some((revision, message)) = log.next().await? {
                let event = crate::load::decode(revision, &message.payload)?;
                for sealed in event.event.as_ref().map(sealed_messages).unwrap_or_default() {
                    let Ok(v1::SealedMessage { contact: Some(contact), .. }) = keyring.open(sealed) else { continue };
                    all.extend([contact.id, contact.user_id, contact.username]);
                }
                if all.len() > ADDRESSES {
                    break;
                }
            }
            log.close(bus).await;
        }
        all.retain(|name| name.len() >= SHORTEST);
        Ok(Traces(all))
    }

    /// The names themselves.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether a text has one of them, as a whole word.
    pub(crate) fn are_in(&self, text: &[u8]) -> bool {
        self.0.iter().any(|name| has_word(text, name.as_bytes()))
    }
}

impl Bus {
    /// Erases the contact of a conversation, and tells each step when it is done. Goes on where it broke off before.
    ///
    /// # Errors
    /// [`EraseError`].
    pub async fn erase(
        &self,
        files: &Files,
        workspace: &str,
        conversation: &ConversationId,
        actor: &v1::Actor,
        trace: &TraceParent,
        mut told: impl FnMut(Removed) + Send,
    ) -> Result<(), EraseError> {
        let mut done = |step, count| told(Removed { step, count, revision: 0 });
        self.check_erasable().await?;
        let erasure = self.mark(workspace, conversation, actor).await?;
        done(Step::Marked, 1);
        tokio::time::sleep(HEARD).await;
        let keyring = self.stored_keyring(workspace, conversation).await?;
        let traces = Traces::of(self, workspace, conversation, keyring.as_ref()).await?;
        let id = conversation.as_str();
        let p = partition(workspace, id);

        done(Step::Queues, self.forget_queues(workspace, id).await?);
        let owner = Owner { workspace, conversation: Some(conversation) };
        done(Step::Media, files.remove_all(owner).await?);
        let of_conversation = |message: &[u8]| {
            let run = v1::Run::decode(message).is_ok_and(|run| run.conversation_id == id);
            run || v1::NotMatched::decode(message).is_ok_and(|record| record.conversation_id == id)
        };
        let runs = format!("run.{p}.{workspace}.>");
        done(Step::Runs, self.shred_where(stream::RUNS, runs, |_, payload| of_conversation(payload)).await?);
        let sends = format!("send.{p}.{workspace}.>");
        let contact = format!(".contact.{id}");
        let sent = |subject: &str, payload: &[u8]| {
            subject.ends_with(&contact) || v1::Send::decode(payload).is_ok_and(|send| send.conversation_id == id)
        };
        done(Step::Sends, self.shred_where(stream::SENDS, sends, sent).await?);
        let named = |_: &str, payload: &[u8]| has_word(payload, id.as_bytes()) || traces.are_in(payload);
        let external = format!("ext.{workspace}.>");
        done(Step::External, self.shred_where(stream::EXTERNAL, external, named).await?);
        done(Step::Rejected, self.shred_rejected(workspace, &traces).await?);
        let place = format!(".{p}.{workspace}.{id}.");
        let about = |_: &str, payload: &[u8]| {
            v1::DeadLetter::decode(payload).is_ok_and(|letter| format!("{}.", letter.subject).contains(&place))
        };
        done(Step::DeadLetters, self.shred_where(stream::DEAD, "dead.>".to_owned(), about).await?);
        done(Step::Aliases, self.shred_aliases(workspace, conversation).await?);
        done(Step::Key, self.shred_key(workspace, conversation).await?);
        let revision = self.tell_erased(workspace, conversation, &erasure, trace).await?;
        told(Removed { step: Step::Erased, count: 1, revision });
        Ok(())
    }

    /// Refuses what could not be finished: buckets of an earlier version, in which nothing can be overwritten.
    async fn check_erasable(&self) -> Result<(), Error> {
        let doing = "looking whether a bucket can forget";
        for bucket in [stream::KEYS, stream::ALIASES] {
            let found = self.jetstream().get_stream(format!("KV_{bucket}")).await;
            let found = found.map_err(|error| Error::away(doing, error))?;
            if found.cached_info().config.deny_delete {
                let source = format!("the bucket {bucket} was made without the right to delete").into();
                return Err(Error::Refused { doing, source });
            }
        }
        Ok(())
    }

    /// Marks a conversation, or finds the mark that is there.
    async fn mark(
        &self,
        workspace: &str,
        conversation: &ConversationId,
        actor: &v1::Actor,
    ) -> Result<v1::Erasure, EraseError> {
        let (marks, key) = (Bucket::named(self.clone(), stream::KEYS), mark_key(workspace, conversation));
        if let Some(found) = self.erasure(workspace, conversation).await?.value {
            return Ok(found);
        }
        if self.stored_keyring(workspace, conversation).await?.is_none() {
            return Err(EraseError::Unknown);
        }
        if !self.state(workspace, conversation).await?.open.is_empty() {
            return Err(EraseError::TicketOpen);
        }
        let fresh =
            v1::Erasure { actor: Some(actor.clone()), begin_time: Some(proto::timestamp(now())), end_time: None };
        match marks.put(&key, &fresh, Some(0)).await {
            Ok(_) => Ok(fresh),
            Err(Error::Conflict) => Ok(self.erasure(workspace, conversation).await?.value.ok_or(Error::Conflict)?),
            Err(error) => Err(error.into()),
        }
    }

    /// Timers of the conversation, and what waits to go out there: references alone, but nobody is to work on them.
    async fn forget_queues(&self, workspace: &str, id: &str) -> Result<u64, Error> {
        let p = partition(workspace, id);
        let filters = [
            (stream::TIMERS, format!("timer.*.{p}.{workspace}.{id}.>")),
            (stream::OUTBOX, format!("out.{workspace}.*.{id}.>")),
        ];
        let mut count = 0;
        for (stream, filter) in filters {
            let doing = "forgetting what waits for a conversation";
            let handle =
                self.jetstream().get_stream_no_info(stream).await.map_err(|error| Error::away(doing, error))?;
            let purged = handle.purge().filter(filter).await.map_err(|error| Error::away(doing, error))?;
            count += purged.purged;
        }
        Ok(count)
    }

    /// Overwrites what of a stream is meant. How many it was.
    async fn shred_where(
        &self,
        stream: &str,
        filter: String,
        meant: impl Fn(&str, &[u8]) -> bool,
    ) -> Result<u64, Error> {
        let (mut all, mut count) = (Sweep::open(self, stream, filter).await?, 0);
        while let Some((sequence, message)) = all.next().await? {
            if meant(&message.subject, &message.payload) {
                count += u64::from(shred(self, stream, sequence).await?);
            }
        }
        all.close(self).await;
        Ok(count)
    }

    /// Rejected items whose raw bytes name the contact. One that named no workspace is sealed under the key of the
    /// deployment.
    async fn shred_rejected(&self, workspace: &str, traces: &Traces) -> Result<u64, Error> {
        let (own, nobody) = (self.workspace(workspace).await?, self.workspace("").await?);
        let meant = |_: &str, payload: &[u8]| {
            let Ok(rejected) = v1::Rejected::decode(payload) else { return false };
            let keys = match rejected.workspace.as_str() {
                "" => &nobody,
                name if name == workspace => &own,
                _ => return false,
            };
            keys.open(&rejected.sealed).is_ok_and(|raw| traces.are_in(&raw))
        };
        self.shred_where(stream::REJECTED, "rejected.>".to_owned(), meant).await
    }

    /// All addresses that lead to the conversation: what stands under an alias is the conversation's id, so every alias
    /// of the workspace is looked at.
    async fn shred_aliases(&self, workspace: &str, conversation: &ConversationId) -> Result<u64, Error> {
        let filter = format!("$KV.{}.{workspace}.>", stream::ALIASES);
        let id = conversation.as_str().as_bytes();
        self.shred_where(&format!("KV_{}", stream::ALIASES), filter, |_, payload| payload == id).await
    }

    /// The key itself.
    async fn shred_key(&self, workspace: &str, conversation: &ConversationId) -> Result<u64, Error> {
        let filter = format!("$KV.{}.{}", stream::KEYS, key_name(workspace, conversation));
        self.shred_where(&format!("KV_{}", stream::KEYS), filter, |_, _| true).await
    }

    /// Tells the log, once, and completes the mark.
    async fn tell_erased(
        &self,
        workspace: &str,
        conversation: &ConversationId,
        erasure: &v1::Erasure,
        trace: &TraceParent,
    ) -> Result<Revision, Error> {
        let time = now();
        let event = v1::Event {
            id: self.workspace(workspace).await?.fact_id(&["erased", conversation.as_str()]),
            workspace: workspace.to_owned(),
            conversation: conversation.as_str().to_owned(),
            actor: erasure.actor.clone(),
            occur_time: erasure.begin_time,
            record_time: Some(proto::timestamp(time)),
            channel: self.channel(workspace, conversation).await?.unwrap_or_default(),
            event: Some(Kind::ContactErased(v1::ContactErased {})),
            ..v1::Event::default()
        };
        let published = self.publish_facts([event], trace).await.pop();
        let revision = published.unwrap_or_else(|| Err(Error::unreadable("an erasure", "it was not appended")))?;
        let done = v1::Erasure { end_time: Some(proto::timestamp(time)), ..erasure.clone() };
        let marks = Bucket::named(self.clone(), stream::KEYS);
        marks.put(&mark_key(workspace, conversation), &done, None).await?;
        Ok(revision)
    }
}

/// All events of a conversation.
pub(crate) fn log_filter(workspace: &str, conversation: &ConversationId) -> String {
    format!("ev.{}.{workspace}.{conversation}.>", partition(workspace, conversation.as_str()))
}

/// What is sealed as a message in an event.
pub(crate) fn sealed_messages(kind: &Kind) -> Vec<&[u8]> {
    match kind {
        Kind::MessageReceived(message) => vec![&message.sealed],
        Kind::MessageEchoed(message) => vec![&message.sealed],
        Kind::MessageBackfilled(message) => vec![&message.sealed],
        Kind::ReactionChanged(reaction) => vec![&reaction.sealed],
        Kind::MessageEdited(edit) => vec![&edit.sealed],
        Kind::MessageRevoked(revocation) => vec![&revocation.sealed],
        Kind::ContactChanged(contact) => vec![&contact.sealed],
        Kind::Decided(decided) => decided.entries.iter().filter_map(message_of).collect(),
        Kind::MessageStatusChanged(_) | Kind::MessagesRead(_) | Kind::ContactErased(_) => Vec::new(),
    }
}

fn message_of(entry: &v1::DecidedEntry) -> Option<&[u8]> {
    match &entry.entry {
        Some(v1::decided_entry::Entry::Message(message)) => Some(&message.sealed),
        _ => None,
    }
}

/// Whether `text` has `word` with no letter or digit before or after it.
pub(crate) fn has_word(text: &[u8], word: &[u8]) -> bool {
    let plain = |at: Option<&u8>| at.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    text.windows(word.len()).enumerate().any(|(at, window)| {
        window == word
            && plain(at.checked_sub(1).and_then(|before| text.get(before)))
            && plain(text.get(at + word.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::has_word;

    #[test]
    fn a_name_is_found_as_a_whole_word_alone() {
        for (text, found) in [
            ("{\"wa_id\":\"34600111222\"}", true),
            ("+34600111222", true),
            ("34600111222", true),
            ("346001112223", false),
            ("a34600111222", false),
            ("3460011122", false),
            ("", false),
        ] {
            assert_eq!(has_word(text.as_bytes(), b"34600111222"), found, "{text}");
        }
    }
}
