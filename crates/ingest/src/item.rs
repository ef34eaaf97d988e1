//! What a webhook tells, item by item.

use proto::v1;

/// One thing that a webhook tells: a message, a status, another change, or something that can't be taken.
#[derive(Debug)]
pub struct Item<'a> {
    /// The number, or page, of the business, by the channel's id; `None` where the item names none.
    pub phone_number_id: Option<String>,
    /// The item as it came.
    pub raw: &'a str,
    /// What it says, or why it can't be taken.
    pub update: Result<Update, Reject>,
}

/// What an item says.
#[derive(Debug)]
pub enum Update {
    /// Something in the chat.
    Chat(Box<Chat>),
    /// What became of a message that was sent.
    Status(Box<Status>),
    /// Something else on the channel.
    Other(Box<Other>),
}

/// Something in the chat: a message, or a change of one, or of who the contact is.
#[derive(Debug)]
pub struct Chat {
    /// How it came to us.
    pub source: Source,
    /// Whether the customer or the business said it.
    pub direction: v1::Direction,
    /// The customer.
    pub person: Person,
    /// What it does to the chat.
    pub effect: Effect,
    /// What it says: `channel_message_id`, `type` and the content fields.
    pub message: v1::Message,
    /// When it happened, in Unix seconds.
    pub seconds: i64,
}

/// How a part of the chat came to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It happens now.
    Live,
    /// The business wrote from its own phone.
    Echo,
    /// It is from before the channel was connected.
    History,
}

/// What an item does to the chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is a message of its own.
    Message,
    /// It is a reaction to a message, or takes one away.
    Reaction {
        /// The channel's id of the message reacted to.
        target: String,
        /// Whether the reaction is taken away.
        removed: bool,
    },
    /// It says what a message reads now.
    Edit {
        /// The channel's id of the message edited.
        target: String,
    },
    /// It takes a message back.
    Revoke {
        /// The channel's id of the message taken back.
        target: String,
    },
    /// The channel says something about the contact.
    Contact {
        /// The channel's own word, for example "user_changed_number".
        word: String,
        /// The addresses that the contact has from now on; empty where the item names none.
        now: Person,
    },
}

/// A customer on the channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// The phone number.
    pub number: Option<String>,
    /// The channel's user id (BSUID).
    pub user_id: Option<String>,
    /// What the customer calls themselves; may be empty.
    pub name: String,
    /// The customer's handle; may be empty.
    pub username: String,
}

impl Person {
    /// Whether no address is known.
    pub fn is_nobody(&self) -> bool {
        self.number.is_none() && self.user_id.is_none()
    }

    /// The person as a contact: its id is the number where one is known, else the user id.
    pub fn contact(&self) -> v1::Contact {
        v1::Contact {
            id: self.number.as_ref().or(self.user_id.as_ref()).cloned().unwrap_or_default(),
            display_name: self.name.clone(),
            user_id: self.user_id.clone().unwrap_or_default(),
            username: self.username.clone(),
        }
    }
}

/// What became of a message that was sent.
#[derive(Debug)]
pub struct Status {
    /// The channel's id of the message.
    pub message_id: String,
    /// To whom it was sent.
    pub person: Person,
    /// When it happened, in Unix seconds.
    pub seconds: i64,
    /// Our own id of the message where it was sent along, unchecked.
    pub callback_data: String,
    /// The report.
    pub report: v1::StatusReport,
}

/// Something on the channel that is no chat.
#[derive(Debug, PartialEq, Eq)]
pub struct Other {
    /// The channel's name of it, for example "account_update".
    pub field: String,
    /// What tells it from a later one that reads the same.
    pub time: String,
    /// `{"entry", "field", "value"}` as JSON.
    pub json: String,
}

/// Why an item can't become an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// Not the shape that the channel documents.
    #[error("{0}")]
    Shape(&'static str),
    /// An id or address that can't be kept.
    #[error("{0} is not 1 to 256 bytes without control characters")]
    Id(&'static str),
    /// There is no id to know a repeat by.
    #[error("id is missing")]
    NoId,
    /// There is nobody whose conversation it could belong to.
    #[error("no customer is named: neither a number nor a user id")]
    Nobody,
    /// The number of the business is missing.
    #[error("metadata.phone_number_id is missing")]
    NoNumber,
    /// When it happened is not known.
    #[error("timestamp is not a whole number of Unix seconds within [0, 4102444800]")]
    Time,
    /// More words than an entry holds.
    #[error("text is longer than 64 KiB")]
    TextTooLong,
    /// More bytes than an event holds.
    #[error("item is larger than 1 MiB")]
    TooLarge,
}

/// Why a body holds no items at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Some bytes are not UTF-8.
    #[error("body is not UTF-8")]
    NotUtf8,
    /// It can't be read as JSON.
    #[error("body is not JSON: {0}")]
    NotJson(String),
    /// It is JSON of something else.
    #[error("body is not a webhook of this channel: {0}")]
    NotAWebhook(&'static str),
    /// It holds more than a channel sends.
    #[error("body holds more than {limit} items", limit = crate::limits::MAX_ITEMS)]
    TooManyItems,
}
