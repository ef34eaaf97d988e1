//! Addresses are aliases of a conversation (W1). They are stored as keyed hashes: the bucket holds no number.

use conversation::ConversationId;

use crate::key::key_name;
use crate::kv::{find_or_create, read};
use crate::shred::shred;
use crate::{Bus, Error, Keyring, WorkspaceKeys, stream};

/// One way in which a channel names a contact.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// What kind of name.
    pub kind: AddressKind,
    /// The name itself.
    pub value: String,
}

/// What kind of name an address is. A user id beats a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressKind {
    /// The channel's own id of the user (WhatsApp: BSUID).
    UserId,
    /// A phone number.
    Number,
    /// Whatever a generic channel names its contacts by.
    Id,
}

impl AddressKind {
    fn name(self) -> &'static str {
        match self {
            AddressKind::UserId => "user_id",
            AddressKind::Number => "number",
            AddressKind::Id => "id",
        }
    }
}

/// The conversation that a contact's addresses lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Where the contact's messages go.
    pub conversation: ConversationId,
    /// Another conversation that a weaker address led to before: the two stay two, and this one goes on from it.
    pub continues: Option<ConversationId>,
}

/// What became of an address that was given to a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// It leads to the conversation from now on.
    New,
    /// It did so before.
    Already,
    /// It leads to another conversation, and goes on doing so.
    Other(ConversationId),
}

impl Bus {
    /// The conversation of a contact on a channel, found or made. `addresses`: the strongest first, at least one. A
    /// contact that was erased gets a new one.
    ///
    /// # Errors
    /// [`Error::Away`]; what was made until then is found again by the next try.
    pub async fn resolve(&self, workspace: &str, channel: &str, addresses: &[Address]) -> Result<Resolved, Error> {
        match self.resolve_once(workspace, channel, addresses).await {
            // Erased between one step and the next.
            Err(Error::Erased) => self.resolve_once(workspace, channel, addresses).await,
            done => done,
        }
    }

    async fn resolve_once(&self, workspace: &str, channel: &str, addresses: &[Address]) -> Result<Resolved, Error> {
        let mut known = Vec::with_capacity(addresses.len());
        for address in addresses {
            known.push(self.find_address(workspace, channel, address).await?);
        }
        let (mut conversation, from) = match known.iter().flatten().next() {
            Some(found) => (found.clone(), None),
            None => self.first_address(workspace, channel, addresses).await?,
        };
        let mut continues = None;
        for (nth, address) in addresses.iter().enumerate() {
            let found = match &known[nth] {
                Some(found) => found.clone(),
                None if from == Some(nth) => continue,
                None => self.claim(workspace, channel, &conversation, address).await?,
            };
            if found != conversation {
                // Somebody claimed a stronger address meanwhile: that one counts.
                let stronger = from.is_some_and(|from| nth < from);
                let other = if stronger { std::mem::replace(&mut conversation, found) } else { found };
                continues = Some(other);
            }
        }
        self.keyring(workspace, &conversation).await?;
        Ok(Resolved { conversation, continues })
    }

    /// The conversation of a contact with its keyring where all of it is at hand: the server is not asked, and has
    /// nothing to learn. `None` says nothing about the contact.
    pub fn known(&self, workspace: &str, channel: &str, addresses: &[Address]) -> Option<(ConversationId, Keyring)> {
        let keys = self.0.workspaces.get(workspace)?;
        let mut known =
            addresses.iter().map(|address| self.0.addresses.get(&alias_key(&keys, workspace, channel, address)));
        let conversation = known.next()??;
        let agreed = known.all(|other| other.as_ref() == Some(&conversation));
        let keyring = self.0.keyrings.get(&key_name(workspace, &conversation)).filter(|_| agreed)?;
        Some((conversation, keyring))
    }

    /// Gives a conversation one more address, as when a number changes.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn add_address(
        &self,
        workspace: &str,
        channel: &str,
        conversation: &ConversationId,
        address: &Address,
    ) -> Result<Added, Error> {
        match self.find_address(workspace, channel, address).await? {
            Some(found) if found == *conversation => return Ok(Added::Already),
            Some(found) => return Ok(Added::Other(found)),
            None => {}
        }
        let holder = self.claim(workspace, channel, conversation, address).await?;
        Ok(if holder == *conversation { Added::New } else { Added::Other(holder) })
    }

    /// Makes a conversation under the weakest address: that is the one which a message with fewer addresses would
    /// be found by, so two first messages at once agree on it.
    async fn first_address(
        &self,
        workspace: &str,
        channel: &str,
        addresses: &[Address],
    ) -> Result<(ConversationId, Option<usize>), Error> {
        let weakest = addresses.len().checked_sub(1).ok_or_else(|| Error::unreadable("a contact", "no address"))?;
        let fresh = ConversationId::parse(&format!("c{}", nuid::next()))
            .ok_or_else(|| Error::unreadable("a fresh id", "not plain"))?;
        // The key comes first: whoever finds the conversation by its address finds it whole.
        self.keyring(workspace, &fresh).await?;
        let holder = self.claim(workspace, channel, &fresh, &addresses[weakest]).await?;
        Ok((holder, Some(weakest)))
    }

    /// The conversation that an address of a contact leads to, if it leads to one.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn find_address(
        &self,
        workspace: &str,
        channel: &str,
        address: &Address,
    ) -> Result<Option<ConversationId>, Error> {
        let key = self.alias_key(workspace, channel, address).await?;
        if let Some(conversation) = self.0.addresses.get(&key)
            && !self.is_erased(workspace, &conversation).await?
        {
            return Ok(Some(conversation));
        }
        let Some(value) = read(self.aliases().await?, &key).await? else { return Ok(None) };
        let conversation = parse(&key, &value)?;
        if self.is_erased(workspace, &conversation).await? {
            return Ok(None);
        }
        self.0.addresses.insert(key, conversation.clone());
        Ok(Some(conversation))
    }

    /// Whoever holds the address after this: `conversation` if nobody did.
    async fn claim(
        &self,
        workspace: &str,
        channel: &str,
        conversation: &ConversationId,
        address: &Address,
    ) -> Result<ConversationId, Error> {
        let key = self.alias_key(workspace, channel, address).await?;
        let holder = loop {
            let value = conversation.as_str().to_owned().into();
            let holder = parse(&key, &find_or_create(self.aliases().await?, &key, value).await?)?;
            if !self.is_erased(workspace, &holder).await? {
                break holder;
            }
            // Who was erased and writes again is somebody new, also while the erasure is under way.
            self.forget_alias(&key, &holder).await?;
        };
        self.0.addresses.insert(key, holder.clone());
        Ok(holder)
    }

    /// Removes an address that leads to a conversation that was erased, unless it leads elsewhere by now.
    async fn forget_alias(&self, key: &str, erased: &ConversationId) -> Result<(), Error> {
        let aliases = self.aliases().await?;
        let found = aliases.entry(key).await.map_err(|error| Error::away("reading a bucket", error))?;
        match found {
            Some(entry) if entry.value == erased.as_str().as_bytes() => {
                shred(self, &format!("KV_{}", stream::ALIASES), entry.revision).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    async fn alias_key(&self, workspace: &str, channel: &str, address: &Address) -> Result<String, Error> {
        Ok(alias_key(&self.workspace(workspace).await?, workspace, channel, address))
    }
}

fn alias_key(keys: &WorkspaceKeys, workspace: &str, channel: &str, address: &Address) -> String {
    format!("{workspace}.{}", keys.fact_id(&["address", channel, address.kind.name(), &address.value]))
}

fn parse(key: &str, value: &[u8]) -> Result<ConversationId, Error> {
    std::str::from_utf8(value)
        .ok()
        .and_then(ConversationId::parse)
        .ok_or_else(|| Error::unreadable(format!("alias {key}"), "it names no conversation"))
}
