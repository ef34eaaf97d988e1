//! How the bus is doing: what `threadmark doctor` asks of it.

use std::time::Duration;

use async_nats::jetstream::consumer::PriorityPolicy;
use futures::TryStreamExt as _;

use crate::{Bus, Error, stream};

/// What is known of the server, its streams and their consumers.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The version of the server that answers.
    pub version: String,
    /// Bytes of the streams, all copies of an account together.
    pub storage: u64,
    /// How many bytes there may be; `None` for as many as the disk takes.
    pub storage_limit: Option<u64>,
    /// Every stream that there has to be.
    pub streams: Vec<SurveyedStream>,
}

/// A stream that there has to be.
#[derive(Clone, Debug)]
pub struct SurveyedStream {
    /// Its name.
    pub name: String,
    /// How it is; `None` when there is none.
    pub found: Option<StreamState>,
}

/// How a stream is.
#[derive(Clone, Debug)]
pub struct StreamState {
    /// Messages on it.
    pub messages: u64,
    /// Whether its settings are others than this version and the configuration want.
    pub drifted: bool,
    /// Whether it has a leader: without one nothing is taken.
    pub leads: bool,
    /// Nodes that do not have everything.
    pub behind: Vec<String>,
    /// Its durable consumers.
    pub consumers: Vec<ConsumerState>,
}

/// How a durable consumer is.
#[derive(Clone, Debug)]
pub struct ConsumerState {
    /// Its name.
    pub name: String,
    /// What was not handed out yet.
    pub pending: u64,
    /// What was handed out and is not done.
    pub ack_pending: usize,
    /// Whether a process works for it: the one that it is pinned to, or one that asks.
    pub served: bool,
}

impl Bus {
    /// Looks at everything, changes nothing.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn survey(&self) -> Result<Survey, Error> {
        let account = self.jetstream().query_account().await;
        let account = account.map_err(|error| Error::away("asking for the account", error))?;
        let mut streams = Vec::new();
        for wanted in stream::streams(&self.0.options) {
            let found = match self.jetstream().get_stream(&wanted.name).await {
                Ok(stream) => {
                    let info = stream.cached_info().clone();
                    let peers = info.cluster.iter().flat_map(|cluster| &cluster.replicas);
                    let behind = peers.filter(|peer| !peer.current || peer.offline).map(|peer| peer.name.clone());
                    let found = StreamState {
                        messages: info.state.messages,
                        drifted: stream::reconcile(&info.config, &wanted) != info.config,
                        leads: info.cluster.as_ref().is_none_or(|cluster| cluster.leader.is_some()),
                        behind: behind.collect(),
                        consumers: consumers(&stream).await?,
                    };
                    Some(found)
                }
                Err(error) if stream::is_missing(&error) => None,
                Err(error) => return Err(Error::away("looking for a stream", error)),
            };
            streams.push(SurveyedStream { name: wanted.name, found });
        }
        let limit = account.limits.max_storage.and_then(|limit| u64::try_from(limit).ok());
        Ok(Survey {
            version: self.0.client.server_info().version,
            storage: account.storage,
            storage_limit: limit,
            streams,
        })
    }

    /// How far the clock of whoever wrote the newest event is from the server's, either way; `None` without events.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn clock_difference(&self) -> Result<Option<Duration>, Error> {
        let newest = self.events_info().await?.state.last_sequence;
        let mut batch = match newest {
            0 => return Ok(None),
            newest => self.reader(newest - 1).next().await,
        };
        let Some(newest) = batch.pop() else { return Ok(None) };
        let recorded = newest.event()?.record_time.as_ref().and_then(proto::time);
        Ok(recorded.map(|recorded| Duration::from_nanos(recorded.0.abs_diff(newest.appended.0))))
    }
}

async fn consumers(stream: &async_nats::jetstream::stream::Stream) -> Result<Vec<ConsumerState>, Error> {
    let all: Vec<_> =
        stream.consumers().try_collect().await.map_err(|error| Error::away("listing consumers", error))?;
    let durable = all.into_iter().filter(|info| info.config.durable_name.is_some());
    Ok(durable
        .map(|info| {
            let pinned = info.priority_groups.iter().any(|group| group.pinned_client_id.is_some());
            let pins = info.config.priority_policy == PriorityPolicy::PinnedClient;
            ConsumerState {
                name: info.name,
                pending: info.num_pending,
                ack_pending: info.num_ack_pending,
                served: info.num_waiting > 0 || (pins && pinned),
            }
        })
        .collect())
}
