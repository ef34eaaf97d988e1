//! The channels that messages go out on, in a bucket: every process works for each of them, and whoever looks sees
//! which are stopped and why.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use bus::{Bucket, BucketName, Bus, Change, Error, TraceParent, Watch, now, token};
use proto::v1;
use serde_json::json;

use crate::channel::Failure;
use crate::line::Line;

/// The bucket, and what is known to stand in it.
pub(super) struct Registry {
    bus: Bus,
    bucket: Bucket,
    known: Mutex<HashSet<String>>,
}

impl Registry {
    pub(super) fn new(bus: Bus) -> Registry {
        let bucket = bus.bucket(BucketName::Channels);
        Registry { bus, bucket, known: Mutex::default() }
    }

    /// Tells everybody of a channel, once.
    pub(super) async fn register(&self, workspace: &str, channel: &str) -> Result<(), Error> {
        let key = key(workspace, channel);
        if self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(&key) {
            return Ok(());
        }
        let add = |found: Option<v1::ChannelState>, _| match found {
            Some(_) => (Change::Keep, ()),
            None => (Change::Put(state(workspace, channel, None)), ()),
        };
        self.bucket.modify(&key, add).await?;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        Ok(())
    }

    /// All of them, and what comes.
    pub(super) fn watch(&self) -> Watch {
        self.bucket.watch("")
    }

    /// Tells everybody, and rules, that nothing goes out on a line any more (`Some`) or that it does again.
    pub(super) async fn tell(&self, line: &Line, stopped: Option<&Failure>) -> Result<(), Error> {
        let state = state(&line.workspace, &line.channel, stopped);
        let put = |_, _| (Change::Put(state.clone()), ());
        self.bucket.modify(&key(&line.workspace, &line.channel), put).await?;
        let name = if stopped.is_some() { "channel.stopped" } else { "channel.resumed" };
        let time = proto::timestamp(now());
        let said = json!({
            "channel": line.channel,
            "code": state.code,
            "reason": state.stopped,
            "time": format!("{}", time.seconds),
        });
        let id = format!("{name}.{}.{}.{}", line.workspace, token(&line.channel), time.seconds);
        let (json, trace) = (said.to_string().into(), TraceParent::start());
        self.bus.publish_external(&line.workspace, name, &id, json, &trace).await.map(drop)
    }
}

fn key(workspace: &str, channel: &str) -> String {
    format!("{workspace}.{}", token(channel))
}

fn state(workspace: &str, channel: &str, stopped: Option<&Failure>) -> v1::ChannelState {
    v1::ChannelState {
        workspace: workspace.to_owned(),
        channel: channel.to_owned(),
        stopped: stopped.map(ToString::to_string).unwrap_or_default(),
        code: stopped.map(|failure| failure.code).unwrap_or_default(),
        since: Some(proto::timestamp(now())),
    }
}
