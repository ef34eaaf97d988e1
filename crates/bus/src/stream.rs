//! The streams and buckets, and how they are brought about.

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};

use tokio::time::Instant;

use crate::{Error, ErrorKind, Options};

/// Every event of every conversation, for ever.
pub(crate) const EVENTS: &str = "EVENTS";
/// What could not become an event.
pub(crate) const REJECTED: &str = "REJECTED";
/// JSON events of other systems, and channel events that are no chat.
pub(crate) const EXTERNAL: &str = "EXTERNAL";
/// What a consumer gave up on.
pub(crate) const DEAD: &str = "DEAD";
/// What a consumer gave up on and is to work on again.
pub(crate) const REQUEUED: &str = "REQUEUED";
/// Durable timers: schedules and what they became when due. A stream of its own, since one with schedules lets a
/// publisher roll it up.
pub(crate) const TIMERS: &str = "TIMERS";
/// What each rule, or the bot, did about an event.
pub(crate) const RUNS: &str = "RUNS";
/// What has to go out to customers.
pub(crate) const OUTBOX: &str = "OUTBOX";
/// What became of it.
pub(crate) const SENDS: &str = "SENDS";
/// What waits to be posted to other systems.
pub(crate) const HOOKS: &str = "HOOKS";
/// What was tried of it.
pub(crate) const HOOKLOG: &str = "HOOKLOG";
/// Files that a channel did not give yet.
pub(crate) const FETCHES: &str = "FETCHES";
/// Bucket: who is subscribed to what.
pub(crate) const WEBHOOKS: &str = "webhooks";
/// Bucket: who may come in.
pub(crate) const ACCESS: &str = "access";
/// Bucket: which conversation an address belongs to.
pub(crate) const ALIASES: &str = "aliases";
/// Bucket: the keys that seal.
pub(crate) const KEYS: &str = "keys";
/// Bucket: agents, teams and presence.
pub(crate) const DIRECTORY: &str = "directory";
/// Bucket: rules with their versions.
pub(crate) const RULES: &str = "rules";
/// Bucket: whose turn it is in each team.
pub(crate) const ROTATION: &str = "rotation";

/// Bucket: what was done once and is not to be done again: rules that fired, the presence that was told of.
pub(crate) const ONCE: &str = "once";
/// Bucket: what the bot knows.
pub(crate) const KNOWLEDGE: &str = "knowledge";
/// Bucket: the channels that messages go out on.
pub(crate) const CHANNELS: &str = "channels";
/// Object store: files that customers sent, and files to send, sealed.
pub(crate) const MEDIA: &str = "media";

/// How the server writes that there is none.
const NO_LIMIT: i64 = -1;
/// Tries of an endpoint that are remembered: what one page shows.
const TRIES: i64 = 1_000;
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long streams are tried for: a cluster whose every service starts at once takes its time for the first of them.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause before a stream is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// Whether workers have their consumers on a stream, which nobody else may delete.
pub(crate) fn has_workers(stream: &str) -> bool {
    [EVENTS, EXTERNAL, TIMERS, REQUEUED].contains(&stream)
}

/// Waits until all of `wanted` are there, which somebody else makes.
pub(crate) async fn wait_for(jetstream: &jetstream::Context, wanted: &[String]) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    for name in wanted {
        while let Err(error) = jetstream.get_stream(name).await {
            if Instant::now() > deadline {
                let reason = format!("it is not there, or may not be seen ({error}): run `threadmark admin streams`");
                return Err(Error::Incompatible { stream: name.clone(), reason });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

/// Makes or updates all of them.
pub(crate) async fn ensure(jetstream: &jetstream::Context, options: &Options) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    for config in streams(options) {
        loop {
            match ensure_stream(jetstream, config.clone()).await {
                Err(error) if error.kind() == ErrorKind::Retry && Instant::now() < deadline => {
                    tracing::debug!(stream = config.name, %error, "trying a stream again");
                    tokio::time::sleep(PAUSE).await;
                }
                done => break done?,
            }
        }
    }
    Ok(())
}

/// Makes the bucket of tokens where there is none.
pub(crate) async fn ensure_access(jetstream: &jetstream::Context, options: &Options) -> Result<(), Error> {
    let wanted = bucket_config(ACCESS, options);
    match jetstream.get_stream(&wanted.name).await {
        Ok(_) => Ok(()),
        Err(error) if is_missing(&error) => create(jetstream, wanted).await,
        Err(error) => Err(Error::away("looking for a stream", error)),
    }
}

pub(crate) fn streams(options: &Options) -> Vec<Config> {
    let kept = |name: &str, subject: &str, max_age: Duration| Config {
        name: name.to_owned(),
        subjects: vec![subject.to_owned()],
        max_age,
        max_messages: NO_LIMIT,
        max_bytes: NO_LIMIT,
        max_messages_per_subject: NO_LIMIT,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        storage: StorageType::File,
        num_replicas: options.replicas,
        duplicate_window: options.duplicate_window,
        allow_direct: true,
        ..Config::default()
    };
    let events = Config { deny_delete: true, deny_purge: true, ..kept(EVENTS, "ev.>", Duration::ZERO) };
    // 30 days: the design's, long enough for a human to look at what was turned away.
    let month = 30 * DAY;
    // No age: it would end schedules before they are due. Due timers are taken off once they were worked on.
    let timers =
        Config { allow_message_schedules: true, allow_rollup: true, ..kept(TIMERS, "timer.>", Duration::ZERO) };
    let mut all = vec![
        events,
        timers,
        kept(REJECTED, "rejected.>", month),
        kept(EXTERNAL, "ext.>", month),
        kept(DEAD, "dead.>", month),
        // Taken off once worked on; until then it waits for as long as it takes.
        kept(REQUEUED, "requeue.>", Duration::ZERO),
        // 90 days: the design's, long enough to ask why. A run that goes on after a wait replaces what was recorded.
        Config { max_messages_per_subject: 1, ..kept(RUNS, "run.>", 90 * DAY) },
        // Taken off once settled; until then it waits for as long as it takes.
        kept(OUTBOX, "out.>", Duration::ZERO),
        // As long as runs: far longer than anything is handed out again.
        Config { max_messages_per_subject: 1, ..kept(SENDS, "send.>", 90 * DAY) },
        // Longer than the tries of an event last. One reference for each name: a repeat is refused by its sequence.
        kept(HOOKS, "hook.>", WEEK),
        // Longer than a file is asked for. Taken off once it is there, or never will be.
        Config { retention: RetentionPolicy::WorkQueue, ..kept(FETCHES, "fetch.>", 45 * DAY) },
        Config { max_messages_per_subject: TRIES, ..kept(HOOKLOG, "hooklog.>", WEEK) },
    ];
    all.extend(
        [ACCESS, ALIASES, KEYS, DIRECTORY, RULES, ROTATION, ONCE, KNOWLEDGE, CHANNELS, WEBHOOKS]
            .map(|bucket| bucket_config(bucket, options)),
    );
    all.push(crate::file::config(options));
    all
}

/// The stream that a key-value bucket is, as ADR-8 lays it down.
fn bucket_config(bucket: &str, options: &Options) -> Config {
    Config {
        name: format!("KV_{bucket}"),
        subjects: vec![format!("$KV.{bucket}.>")],
        max_messages: NO_LIMIT,
        max_bytes: NO_LIMIT,
        max_messages_per_subject: 1,
        discard: DiscardPolicy::New,
        allow_rollup: true,
        // A single message has to be overwritten where it lies when a person is erased.
        deny_delete: ![ALIASES, KEYS].contains(&bucket),
        allow_direct: true,
        storage: StorageType::File,
        num_replicas: options.replicas,
        duplicate_window: options.duplicate_window,
        ..Config::default()
    }
}

async fn ensure_stream(jetstream: &jetstream::Context, wanted: Config) -> Result<(), Error> {
    let name = wanted.name.clone();
    let found = match jetstream.get_stream(&name).await {
        Ok(stream) => stream.cached_info().config.clone(),
        Err(error) if is_missing(&error) => return create(jetstream, wanted).await,
        Err(error) => return Err(Error::away("looking for a stream", error)),
    };
    let updated = reconcile(&found, &wanted);
    if updated == found {
        return Ok(());
    }
    match jetstream.update_stream(&updated).await {
        Ok(_) => {
            tracing::info!(stream = name, "stream updated");
            Ok(())
        }
        Err(error) => Err(incompatible(name, error)),
    }
}

pub(crate) fn is_missing(error: &jetstream::context::GetStreamError) -> bool {
    let not_found = jetstream::ErrorCode::STREAM_NOT_FOUND;
    matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == not_found)
}

async fn create(jetstream: &jetstream::Context, wanted: Config) -> Result<(), Error> {
    let name = wanted.name.clone();
    match jetstream.create_stream(wanted).await {
        Ok(_) => {
            tracing::info!(stream = name, "stream made");
            Ok(())
        }
        Err(error) if matches!(error.kind(), CreateStreamErrorKind::JetStream(_)) => Err(incompatible(name, error)),
        Err(error) => Err(Error::away("making a stream", error)),
    }
}

/// What is there, with the settings that are ours brought to what we want. What an operator may choose (placement,
/// compression, description, …) stays as it is.
pub(crate) fn reconcile(found: &Config, wanted: &Config) -> Config {
    Config {
        subjects: wanted.subjects.clone(),
        max_age: wanted.max_age,
        max_messages_per_subject: wanted.max_messages_per_subject,
        max_messages: wanted.max_messages,
        max_bytes: wanted.max_bytes,
        retention: wanted.retention,
        discard: wanted.discard,
        storage: wanted.storage,
        num_replicas: wanted.num_replicas,
        duplicate_window: wanted.duplicate_window,
        allow_direct: wanted.allow_direct,
        allow_rollup: wanted.allow_rollup,
        // The server never takes this back: a bucket that was made with it goes on, and erasing from it is refused.
        deny_delete: wanted.deny_delete || found.deny_delete,
        deny_purge: wanted.deny_purge,
        allow_message_schedules: wanted.allow_message_schedules,
        ..found.clone()
    }
}

fn incompatible(stream: String, error: impl std::fmt::Display) -> Error {
    Error::Incompatible { stream, reason: error.to_string() }
}
