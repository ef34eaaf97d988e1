use proto::v1;

/// One message on its way to a customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// To whom.
    pub to: Recipient,
    /// What is said: the content fields of the message as it stands in the chat.
    pub message: v1::Message,
    /// The channel's id of the message that this one answers or reacts to; empty for none.
    pub reply_to: String,
    /// Our id of the message. Channels that can send it back with each status do: that is how a send whose answer was
    /// lost is found again.
    pub message_id: String,
}

/// Whom a message goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// A phone number, or what the channel has in its place.
    Number(String),
    /// The channel's own user id (WhatsApp: the BSUID), where no number is known.
    UserId(String),
}

impl Recipient {
    /// Where a contact is reached: by number if there is one, which is then the contact's id, else by user id.
    pub fn of(contact: &v1::Contact) -> Option<Recipient> {
        let v1::Contact { id, user_id, .. } = contact;
        match (id.is_empty() || id == user_id, user_id.is_empty()) {
            (false, _) => Some(Recipient::Number(id.clone())),
            (true, false) => Some(Recipient::UserId(user_id.clone())),
            (true, true) => None,
        }
    }
}

/// The channel took a message. That is not yet to say that it was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The channel's id of the message.
    pub channel_message_id: String,
}
