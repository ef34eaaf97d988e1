//! The WhatsApp Cloud API.

mod body;
mod codes;
mod interactive;
mod media;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use proto::v1;
use reqwest::Url;
use serde::Deserialize;
use service::Secret;

use super::graph::{Caller, Reply, Timeouts, address, lost, refused};
use super::{Accepted, Channel, Failure, Fetched, Outgoing, Upload};

/// What it takes to send from a number.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the API is, with its version; empty for Meta's.
    pub api_base: String,
    /// The channel's id of the number.
    pub phone_number_id: String,
    /// What calls show.
    pub access_token: Secret,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long an answer may take from then on.
    pub answer_timeout: Duration,
}

/// A number of the business.
pub struct WhatsApp {
    caller: Caller,
    messages: Url,
    api_base: String,
    phone_number_id: String,
}

impl WhatsApp {
    /// Makes it; nothing is called yet.
    ///
    /// # Errors
    /// Which setting is wrong, and why.
    pub fn new(options: &Options) -> Result<WhatsApp, String> {
        let timeouts = Timeouts { connect: options.connect_timeout, answer: options.answer_timeout };
        let caller = Caller::new(&options.access_token, timeouts)?;
        let messages = address(&options.api_base, &[&options.phone_number_id, "messages"])?;
        let (api_base, phone_number_id) = (options.api_base.clone(), options.phone_number_id.clone());
        Ok(WhatsApp { caller, messages, api_base, phone_number_id })
    }

    async fn send_one(&self, outgoing: &Outgoing) -> Result<Accepted, Failure> {
        let reply = self.caller.post(self.messages.clone(), body::message(outgoing)?).await?;
        if !(200..300).contains(&reply.status) {
            return Err(refused(&self.caller, &reply, codes::meaning));
        }
        accepted(&reply)
    }

    async fn tell_seen(&self, channel_message_id: &str, typing: bool) -> Result<(), Failure> {
        let reply = self.caller.post(self.messages.clone(), body::seen(channel_message_id, typing)?).await?;
        if (200..300).contains(&reply.status) { Ok(()) } else { Err(refused(&self.caller, &reply, codes::meaning)) }
    }
}

impl Channel for WhatsApp {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, Failure>> {
        self.send_one(outgoing).boxed()
    }

    fn seen<'a>(&'a self, channel_message_id: &'a str, typing: bool) -> BoxFuture<'a, Result<(), Failure>> {
        self.tell_seen(channel_message_id, typing).boxed()
    }

    fn fetch<'a>(&'a self, media: &'a v1::Media, most: usize) -> BoxFuture<'a, Result<Fetched, Failure>> {
        self.fetch_file(&media.id, most).boxed()
    }

    fn upload<'a>(&'a self, file: &'a Upload) -> BoxFuture<'a, Result<String, Failure>> {
        self.upload_file(file).boxed()
    }
}

impl fmt::Debug for WhatsApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhatsApp").field("messages", &self.messages.as_str()).finish_non_exhaustive()
    }
}

/// The part of a success that is looked at.
#[derive(Deserialize)]
struct Success {
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    id: String,
}

/// A success without an id may be one all the same.
fn accepted(reply: &Reply) -> Result<Accepted, Failure> {
    let success: Option<Success> = serde_json::from_slice(&reply.body).ok();
    let id = success.and_then(|success| success.messages.into_iter().next()).map(|message| message.id);
    match id.filter(|id| !id.is_empty()) {
        Some(channel_message_id) => Ok(Accepted { channel_message_id }),
        None => Err(lost("the answer can't be read", format!("HTTP {} without an id of the message", reply.status))),
    }
}
