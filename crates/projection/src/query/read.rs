//! Single rows, decoded.

use prost::Message;
use service::status::refused;
use tonic::{Code, Status};

use crate::store::View;
use crate::view::error::Error;
use crate::view::keys::{self, ConversationKey, Place, TicketKey};
use crate::view::rows::{ConversationRow, EntryRow, TicketRow, WindowRow};

/// What a client is told when the view can't be read.
pub(crate) fn failed(error: &Error) -> Status {
    tracing::error!(%error, "view cannot be read");
    refused(Code::Internal, "VIEW_UNREADABLE", "", "the view can't be read: the log of the projection says why")
}

/// The row in the value of a key.
pub(crate) fn decode<M: Message + Default>(key: &[u8], value: impl prost::bytes::Buf) -> Result<M, Error> {
    M::decode(value).map_err(|_| unreadable(key))
}

/// A key or value that does not have the form of its table.
pub(crate) fn unreadable(key: &[u8]) -> Error {
    Error::row(key.first().copied().unwrap_or(b'?'))
}

fn get<M: Message + Default>(view: &dyn View, key: &[u8]) -> Result<Option<M>, Error> {
    view.get(key)?.map(|value| decode(key, value)).transpose()
}

pub(crate) fn conversation(view: &dyn View, key: ConversationKey) -> Result<Option<ConversationRow>, Error> {
    get(view, &keys::conversation(key))
}

pub(crate) fn entry(view: &dyn View, conversation: ConversationKey, place: Place) -> Result<Option<EntryRow>, Error> {
    get(view, &keys::entry(conversation, place))
}

pub(crate) fn window(view: &dyn View, conversation: ConversationKey, ordinal: u64) -> Result<Option<WindowRow>, Error> {
    get(view, &keys::window(conversation, ordinal))
}

pub(crate) fn ticket(view: &dyn View, key: &TicketKey) -> Result<Option<TicketRow>, Error> {
    get(view, &key.row())
}
