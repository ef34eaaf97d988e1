//! What the bus holds about the contact of a conversation, unsealed.

use conversation::ConversationId;
use prost::Message as _;
use proto::v1;
use proto::v1::decided_entry::Entry;
use proto::v1::event::Event as Kind;
use proto::v1::export_contact_response::Item;
use tokio::sync::mpsc;

use crate::erase::{Traces, has_word, log_filter, sealed_messages};
use crate::shred::Sweep;
use crate::{Bus, Error, Keyring, partition, stream};

impl Bus {
    /// Hands out all that is held about the contact, one thing at a time, until there is no more or nobody takes it.
    /// `false` when the conversation is not known, or was erased.
    ///
    /// # Errors
    /// [`Error::Away`]; [`Error::Unreadable`] when something there is not what was put there.
    pub async fn export(
        &self,
        workspace: &str,
        conversation: &ConversationId,
        items: &mpsc::Sender<Item>,
    ) -> Result<bool, Error> {
        let Some(keyring) = self.conversation(workspace, conversation.as_str()).await? else { return Ok(false) };
        let traces = Traces::of(self, workspace, conversation, Some(&keyring)).await?;
        for name in traces.names() {
            if items.send(Item::Address(v1::ContactAddress { value: name.to_owned() })).await.is_err() {
                return Ok(true);
            }
        }
        let id = conversation.as_str();
        let p = partition(workspace, id);
        let filters = [
            (stream::EVENTS, log_filter(workspace, conversation)),
            (stream::RUNS, format!("run.{p}.{workspace}.>")),
            (stream::SENDS, format!("send.{p}.{workspace}.>")),
            (stream::REJECTED, "rejected.>".to_owned()),
            (stream::EXTERNAL, format!("ext.{workspace}.>")),
        ];
        let (own, nobody) = (self.workspace(workspace).await?, self.workspace("").await?);
        for (from, filter) in filters {
            let mut all = Sweep::open(self, from, filter).await?;
            while let Some((sequence, message)) = all.next().await? {
                let payload = message.payload.clone();
                let item = match from {
                    stream::EVENTS => Some(Item::Event(opened(sequence, &payload, &keyring)?)),
                    stream::RUNS => run(&payload, id).map(Item::Run),
                    stream::SENDS => send(&payload, id, &keyring).map(Item::Send),
                    stream::REJECTED => {
                        let open = |rejected: &v1::Rejected| match rejected.workspace.as_str() {
                            "" => nobody.open(&rejected.sealed).ok(),
                            name if name == workspace => own.open(&rejected.sealed).ok(),
                            _ => None,
                        };
                        rejected(&payload, open).filter(|found| traces.are_in(&found.raw)).map(Item::Rejected)
                    }
                    _ if has_word(&payload, id.as_bytes()) || traces.are_in(&payload) => {
                        Some(Item::External(external(&message)))
                    }
                    _ => None,
                };
                if let Some(item) = item
                    && items.send(item).await.is_err()
                {
                    return Ok(true);
                }
            }
            all.close(self).await;
        }
        Ok(true)
    }
}

/// An event with what was sealed in it beside it.
fn opened(revision: u64, payload: &[u8], keyring: &Keyring) -> Result<v1::ContactEvent, Error> {
    let mut event = crate::load::decode(revision, payload)?;
    let mut all =
        v1::ContactEvent { revision: i64::try_from(revision).unwrap_or(i64::MAX), ..v1::ContactEvent::default() };
    if let Some(kind) = &mut event.event {
        all.messages = sealed_messages(kind).into_iter().filter_map(|sealed| keyring.open(sealed).ok()).collect();
        all.notes = notes(kind).filter_map(|sealed| keyring.open(sealed).ok()).collect();
        if let Kind::MessageStatusChanged(status) = kind {
            all.status = keyring.open(&status.sealed).ok();
        }
        strip(kind);
    }
    all.event = Some(event);
    Ok(all)
}

fn notes(kind: &Kind) -> impl Iterator<Item = &[u8]> {
    let entries = match kind {
        Kind::Decided(decided) => decided.entries.as_slice(),
        _ => &[],
    };
    entries.iter().filter_map(|entry| match &entry.entry {
        Some(Entry::Note(note)) => Some(note.sealed.as_ref()),
        _ => None,
    })
}

/// Takes out what nobody can read, and the state that is kept for deciding.
fn strip(kind: &mut Kind) {
    match kind {
        Kind::MessageReceived(message) => message.sealed.clear(),
        Kind::MessageEchoed(message) => message.sealed.clear(),
        Kind::MessageBackfilled(message) => message.sealed.clear(),
        Kind::MessageStatusChanged(status) => status.sealed.clear(),
        Kind::ReactionChanged(reaction) => reaction.sealed.clear(),
        Kind::MessageEdited(edit) => edit.sealed.clear(),
        Kind::MessageRevoked(revocation) => revocation.sealed.clear(),
        Kind::ContactChanged(contact) => contact.sealed.clear(),
        Kind::Decided(decided) => {
            decided.after = None;
            for entry in &mut decided.entries {
                match &mut entry.entry {
                    Some(Entry::Message(message)) => message.sealed.clear(),
                    Some(Entry::Note(note)) => note.sealed.clear(),
                    Some(Entry::Stamp(_)) | None => {}
                }
            }
        }
        Kind::MessagesRead(_) | Kind::ContactErased(_) => {}
    }
}

fn run(payload: &[u8], conversation: &str) -> Option<v1::Run> {
    let mut run = v1::Run::decode(payload).ok().filter(|run| run.conversation_id == conversation)?;
    run.actions.iter_mut().for_each(|action| action.sealed.clear());
    Some(run)
}

fn send(payload: &[u8], conversation: &str, keyring: &Keyring) -> Option<v1::ContactSend> {
    let send = v1::Send::decode(payload).ok().filter(|send| send.conversation_id == conversation)?;
    let status: v1::SealedStatus = keyring.open(&send.sealed).unwrap_or_default();
    Some(v1::ContactSend {
        message_id: send.message_id,
        channel_message_id: status.channel_message_id,
        attempts: send.attempts,
        time: send.time,
    })
}

fn rejected(payload: &[u8], open: impl Fn(&v1::Rejected) -> Option<Vec<u8>>) -> Option<v1::ContactRejected> {
    let rejected = v1::Rejected::decode(payload).ok()?;
    let raw = open(&rejected)?.into();
    Some(v1::ContactRejected {
        source: rejected.source,
        reason: rejected.reason,
        record_time: rejected.record_time,
        raw,
    })
}

fn external(message: &async_nats::jetstream::Message) -> v1::ContactExternal {
    let nanos = message.info().map_or(0, |info| info.published.unix_timestamp_nanos());
    let time = conversation::Time(i64::try_from(nanos).unwrap_or(i64::MAX));
    // ext.<workspace>.<name>
    let name = message.subject.splitn(3, '.').nth(2).unwrap_or_default();
    v1::ContactExternal {
        name: name.to_owned(),
        record_time: Some(proto::timestamp(time)),
        json: String::from_utf8_lossy(&message.payload).into_owned(),
    }
}
