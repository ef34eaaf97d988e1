use std::future::Future;

use bus::{Bus, Keyring};
use prost::Message;

/// Where the keys of conversations come from.
pub trait Keys: Clone + Send + Sync + 'static {
    /// What opens the words of one conversation.
    type Key: Key;

    /// The key of a conversation; `None` when it was erased, and with it the person.
    ///
    /// # Errors
    /// When the keys can't be reached.
    fn find(
        &self,
        workspace: &str,
        conversation: &str,
    ) -> impl Future<Output = Result<Option<Self::Key>, bus::Error>> + Send;
}

/// Opens what was sealed in one conversation.
pub trait Key: Clone + Send + Sync + 'static {
    /// What is in `sealed`; `None` when it is not for this key, or damaged.
    fn open<M: Message + Default>(&self, sealed: &[u8]) -> Option<M>;
}

impl Keys for Bus {
    type Key = Keyring;

    async fn find(&self, workspace: &str, conversation: &str) -> Result<Option<Keyring>, bus::Error> {
        self.conversation(workspace, conversation).await
    }
}

impl Key for Keyring {
    fn open<M: Message + Default>(&self, sealed: &[u8]) -> Option<M> {
        Keyring::open(self, sealed).ok()
    }
}

/// Unseals with a key, if it is still there. What can't be opened is empty: whoever was erased leaves windows,
/// times and stamps, but no words.
pub(crate) fn unseal<M: Message + Default>(key: Option<&impl Key>, sealed: &[u8]) -> M {
    if sealed.is_empty() {
        return M::default();
    }
    key.and_then(|key| key.open(sealed)).unwrap_or_default()
}
