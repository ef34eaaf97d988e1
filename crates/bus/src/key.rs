//! Keys: one for each conversation, so that a person can be forgotten, and one pair for each workspace.

use std::sync::Arc;

use bytes::Bytes;
use conversation::ConversationId;
use hmac::{Hmac, Mac};
use prost::Message;
use sha2::Sha256;

use crate::kv::{find_or_create, read};
use crate::seal::{SealKey, random};
use crate::{Bus, Error, SealError};

/// First byte of a stored key: it stands in the clear. Other numbers are for wrapped ones.
const CLEAR: u8 = 1;

/// Seals and unseals what is said in one conversation.
#[derive(Clone)]
pub struct Keyring(Arc<SealKey>);

impl Keyring {
    fn new(key: [u8; 32]) -> Keyring {
        Keyring(Arc::new(SealKey::new(key)))
    }

    #[cfg(test)]
    pub(crate) fn random() -> Keyring {
        Keyring::new(random())
    }

    pub(crate) fn key(&self) -> &SealKey {
        &self.0
    }

    /// Seals a message.
    pub fn seal(&self, message: &impl Message) -> Vec<u8> {
        self.0.seal(&message.encode_to_vec())
    }

    /// Unseals a message.
    ///
    /// # Errors
    /// [`SealError`] when it was sealed under another key, damaged, or is another message.
    pub fn open<M: Message + Default>(&self, sealed: &[u8]) -> Result<M, SealError> {
        M::decode(self.0.open(sealed)?.as_slice()).map_err(|_| SealError::Malformed)
    }
}

/// What a workspace derives ids with, and seals what belongs to no conversation.
#[derive(Clone)]
pub struct WorkspaceKeys(Arc<Pair>);

struct Pair {
    /// Before the first part: to copy it costs less than to begin anew with the key.
    hash: Hmac<Sha256>,
    seal: SealKey,
}

impl WorkspaceKeys {
    /// The id of the message that a channel calls `channel_message_id`: 32 hex digits, the same each time.
    pub fn message_ref(&self, channel: &str, channel_message_id: &str) -> String {
        self.fact_id(&["message", channel, channel_message_id])
    }

    /// The id of a fact, from what makes its source the same source: 32 hex digits of a keyed hash.
    pub fn fact_id(&self, identity: &[&str]) -> String {
        let mut mac = self.0.hash.clone();
        for part in identity {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        hex(&mac.finalize().into_bytes()[..16])
    }

    pub(crate) fn key(&self) -> &SealKey {
        &self.0.seal
    }

    /// Seals bytes.
    pub fn seal(&self, clear: &[u8]) -> Vec<u8> {
        self.0.seal.seal(clear)
    }

    /// Unseals bytes.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        self.0.seal.open(sealed)
    }
}

impl Bus {
    /// The keys of a workspace; an empty name stands for the deployment. Found or made.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn workspace(&self, workspace: &str) -> Result<WorkspaceKeys, Error> {
        let name = if workspace.is_empty() { "_deployment" } else { workspace };
        if let Some(keys) = self.0.workspaces.get(name) {
            return Ok(keys);
        }
        let stored = self.find_or_make_key::<64>(name).await?;
        let (hash, seal) = stored.split_at(32);
        let hash = match Hmac::new_from_slice(hash) {
            Ok(hash) => hash,
            Err(_) => unreachable!("HMAC takes keys of any length"),
        };
        let mut seal_key = [0; 32];
        seal_key.copy_from_slice(seal);
        let keys = WorkspaceKeys(Arc::new(Pair { hash, seal: SealKey::new(seal_key) }));
        self.0.workspaces.insert(name.to_owned(), keys.clone());
        Ok(keys)
    }

    /// The keyring of a conversation, found or made. None is made again for one that was erased.
    ///
    /// # Errors
    /// [`Error::Away`], [`Error::Erased`].
    pub async fn keyring(&self, workspace: &str, conversation: &ConversationId) -> Result<Keyring, Error> {
        if let Some(keyring) = self.conversation(workspace, conversation.as_str()).await? {
            return Ok(keyring);
        }
        if self.is_erased(workspace, conversation).await? {
            return Err(Error::Erased);
        }
        let name = key_name(workspace, conversation);
        let keyring = Keyring::new(self.find_or_make_key::<32>(&name).await?);
        // The mark is there before the key goes, and is looked for after a key was made: whoever came between sees it.
        if self.erasure(workspace, conversation).await?.value.is_some() {
            return Err(Error::Erased);
        }
        self.0.keyrings.insert(name, keyring.clone());
        Ok(keyring)
    }

    /// The keyring of a conversation if there is one: `None` means that no such conversation is known in the
    /// workspace, or that it was erased.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn conversation(&self, workspace: &str, conversation: &str) -> Result<Option<Keyring>, Error> {
        let Some(conversation) = ConversationId::parse(conversation) else { return Ok(None) };
        let name = key_name(workspace, &conversation);
        if let Some(keyring) = self.0.keyrings.get(&name) {
            return Ok(Some(keyring));
        }
        if self.is_erased(workspace, &conversation).await? {
            return Ok(None);
        }
        let keyring = self.stored_keyring(workspace, &conversation).await?;
        if let Some(keyring) = &keyring {
            self.0.keyrings.insert(name, keyring.clone());
        }
        Ok(keyring)
    }

    /// The keyring as it is stored, be the conversation marked as erased or not.
    pub(crate) async fn stored_keyring(
        &self,
        workspace: &str,
        conversation: &ConversationId,
    ) -> Result<Option<Keyring>, Error> {
        let name = key_name(workspace, conversation);
        let Some(stored) = read(self.keys().await?, &name).await? else { return Ok(None) };
        Ok(Some(Keyring::new(parse::<32>(&name, &stored)?)))
    }

    async fn find_or_make_key<const N: usize>(&self, name: &str) -> Result<[u8; N], Error> {
        let fresh: [u8; N] = random();
        let value: Bytes = [&[CLEAR], fresh.as_slice()].concat().into();
        let stored = find_or_create(self.keys().await?, name, value).await?;
        parse(name, &stored)
    }
}

/// Digits by hand: every fact has such an id, and formatting a byte at a time costs more than the hash.
fn hex(bytes: &[u8]) -> String {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

pub(crate) fn key_name(workspace: &str, conversation: &ConversationId) -> String {
    format!("{workspace}.{conversation}")
}

fn parse<const N: usize>(name: &str, stored: &[u8]) -> Result<[u8; N], Error> {
    match stored.split_first() {
        Some((&CLEAR, key)) => key.try_into().map_err(|_| Error::unreadable(format!("key {name}"), "its length")),
        _ => Err(Error::unreadable(format!("key {name}"), "stored by a newer version")),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn hex_has_two_digits_a_byte() {
        assert_eq!(super::hex(&[0x00, 0x0f, 0xa5, 0xff]), "000fa5ff");
    }
}
