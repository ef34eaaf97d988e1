use std::error::Error as StdError;

use async_nats::jetstream;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};

/// What to do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The bus is away or busy: try again later.
    Retry,
    /// Someone else wrote first: load again.
    Conflict,
    /// The bus said no, and will say no again.
    Refused,
    /// The deployment is wrong: a human has to mend it.
    Fatal,
}

/// Why the bus did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server did not answer, or lost its leader.
    #[error("the bus is away ({doing}): {source}")]
    Away {
        /// What was asked of it.
        doing: &'static str,
        /// What the client library says.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The expected sequence did not hold.
    #[error("another write to the same subject came first")]
    Conflict,
    /// The server answered with an error that will not pass.
    #[error("the bus refuses ({doing}): {source}")]
    Refused {
        /// What was asked of it.
        doing: &'static str,
        /// What the server says.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A stream exists with settings that can't be changed into ours.
    #[error("stream {stream} can't be brought to what this version needs: {reason}. Nothing was changed or deleted.")]
    Incompatible {
        /// Which stream.
        stream: String,
        /// What differs.
        reason: String,
    },
    /// The server lacks what we rely on.
    #[error("nats-server {found} is too old: {needed} or later is needed")]
    Version {
        /// What the server says it is.
        found: String,
        /// The oldest that will do.
        needed: &'static str,
    },
    /// The contact of the conversation was erased: nothing is sealed for it any more.
    #[error("the contact of this conversation was erased")]
    Erased,
    /// Something on the bus is not what we put there.
    #[error("{what} can't be read: {reason}")]
    Unreadable {
        /// What it is.
        what: String,
        /// Why not.
        reason: String,
    },
}

impl Error {
    /// What to do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Away { .. } => ErrorKind::Retry,
            Error::Conflict => ErrorKind::Conflict,
            Error::Refused { .. } | Error::Erased | Error::Unreadable { .. } => ErrorKind::Refused,
            Error::Incompatible { .. } | Error::Version { .. } => ErrorKind::Fatal,
        }
    }

    pub(crate) fn away(doing: &'static str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        Error::Away { doing, source: source.into() }
    }

    pub(crate) fn unreadable(what: impl Into<String>, reason: impl ToString) -> Error {
        Error::Unreadable { what: what.into(), reason: reason.to_string() }
    }
}

/// 10164: another write to the subject is in flight on a replicated stream. 10158: the same for a batch.
const IN_FLIGHT: [ErrorCode; 2] = [ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT, ErrorCode(10158)];

/// What a failed append means. The client library knows 10071 by name and reports the others as `Other`.
pub(crate) fn publish_error(doing: &'static str, error: PublishError) -> Error {
    let code = error.source().and_then(|source| source.downcast_ref::<jetstream::Error>()).map(|e| e.error_code());
    match (error.kind(), code) {
        (PublishErrorKind::WrongLastSequence, _) => Error::Conflict,
        (_, Some(code)) if IN_FLIGHT.contains(&code) => Error::Conflict,
        (PublishErrorKind::MaxPayloadExceeded, _) => Error::Refused { doing, source: Box::new(error) },
        (PublishErrorKind::Other, Some(_)) => server_error(doing, error),
        _ => Error::away(doing, error),
    }
}

/// An error that the server answered with: 5xx codes pass with time, 4xx do not.
fn server_error(doing: &'static str, error: PublishError) -> Error {
    let status = error.source().and_then(|source| source.downcast_ref::<jetstream::Error>()).map(|e| e.code());
    if status.is_some_and(|status| (400..500).contains(&status)) {
        Error::Refused { doing, source: Box::new(error) }
    } else {
        Error::away(doing, error)
    }
}
