use clap::Args;
use proto::v1;

use super::answer;
use crate::client::timely;
use crate::failure::Failure;
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  threadmark receive --channel web --contact visitor-7 --name Maya \"Hello, is anyone there?\"
  threadmark receive --channel web --contact visitor-7 --message-id m1 \"Said once\"   # repeating it adds nothing";

/// Hands in a message from a customer, on a channel without a webhook.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Receive {
    /// The address of the business that was written to
    #[arg(long, value_name = "CHANNEL")]
    channel: String,
    /// The customer's address on the channel
    #[arg(long, value_name = "ID")]
    contact: String,
    /// What the customer is called
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    name: String,
    /// What the customer says
    text: String,
    /// The channel's id of the message [default: a new one]
    #[arg(long, value_name = "ID")]
    message_id: Option<String>,
    /// When it was said: a date, a time, or how long ago [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// The id of the message that this one answers
    #[arg(long, value_name = "MESSAGE", default_value = "", hide_default_value = true)]
    reply_to: String,
}

impl Receive {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let contact = v1::Contact { id: self.contact, display_name: self.name, ..v1::Contact::default() };
        let message = v1::ReceivedMessage {
            id: self.message_id.unwrap_or_else(|| nuid::next().to_string()),
            text: self.text,
            occur_time: session.instant(self.at.as_deref())?,
            reply_to: self.reply_to,
            ..v1::ReceivedMessage::default()
        };
        let request = v1::ReceiveMessageRequest {
            workspace: session.workspace.clone(),
            channel: self.channel,
            contact: Some(contact),
            message: Some(message),
            ..v1::ReceiveMessageRequest::default()
        };
        let received = session.client.conversations().receive_message(timely(request)).await;
        let received = received.map_err(|status| session.failure(status))?.into_inner();
        let words = format!("conversation {} at revision {}", received.conversation_id, received.revision);
        answer(session, "ReceiveMessageResponse", &received, &words)
    }
}
