//! Messenger's Send API.

mod body;
mod codes;

use std::fmt;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::Url;
use serde::Deserialize;
use service::Secret;

use super::graph::{Caller, Reply, Timeouts, address, lost, refused};
use super::{Accepted, Channel, Failure, Outgoing, Recipient};

/// What it takes to send from a page.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the API is, with its version; empty for Meta's.
    pub api_base: String,
    /// The id of the page.
    pub page_id: String,
    /// What calls show.
    pub access_token: Secret,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long an answer may take from then on.
    pub answer_timeout: Duration,
}

/// A page of the business.
pub struct Messenger {
    caller: Caller,
    messages: Url,
}

impl Messenger {
    /// Makes it; nothing is called yet.
    ///
    /// # Errors
    /// Which setting is wrong, and why.
    pub fn new(options: &Options) -> Result<Messenger, String> {
        let timeouts = Timeouts { connect: options.connect_timeout, answer: options.answer_timeout };
        let caller = Caller::new(&options.access_token, timeouts)?;
        let messages = address(&options.api_base, &[&options.page_id, "messages"])?;
        Ok(Messenger { caller, messages })
    }

    async fn call(&self, body: Vec<u8>) -> Result<Reply, Failure> {
        let reply = self.caller.post(self.messages.clone(), body).await?;
        if (200..300).contains(&reply.status) { Ok(reply) } else { Err(refused(&self.caller, &reply, codes::meaning)) }
    }

    async fn send_one(&self, outgoing: &Outgoing) -> Result<Accepted, Failure> {
        accepted(&self.call(body::message(outgoing)?).await?)
    }

    async fn tell_seen(&self, to: &Recipient, typing: bool) -> Result<(), Failure> {
        self.call(body::action(to, "mark_seen")?).await?;
        if typing {
            self.call(body::action(to, "typing_on")?).await?;
        }
        Ok(())
    }
}

impl Channel for Messenger {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, Failure>> {
        self.send_one(outgoing).boxed()
    }

    /// Does nothing: Messenger wants to know whose message it was. See [`Channel::seen_of`].
    fn seen<'a>(&'a self, _: &'a str, _: bool) -> BoxFuture<'a, Result<(), Failure>> {
        futures::future::ready(Ok(())).boxed()
    }

    fn seen_of<'a>(&'a self, to: &'a Recipient, _: &'a str, typing: bool) -> BoxFuture<'a, Result<(), Failure>> {
        self.tell_seen(to, typing).boxed()
    }
}

impl fmt::Debug for Messenger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messenger").field("messages", &self.messages.as_str()).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Success {
    message_id: String,
}

/// A success without an id may be one all the same.
fn accepted(reply: &Reply) -> Result<Accepted, Failure> {
    match serde_json::from_slice::<Success>(&reply.body) {
        Ok(success) if !success.message_id.is_empty() => Ok(Accepted { channel_message_id: success.message_id }),
        _ => Err(lost("the answer can't be read", format!("HTTP {} without an id of the message", reply.status))),
    }
}
