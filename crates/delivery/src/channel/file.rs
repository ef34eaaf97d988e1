use crate::channel::{Advice, Failure};

/// A file as a channel gave it, with what it says of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Fetched {
    /// What it says that it is; empty where it does not say.
    pub mime_type: String,
    /// SHA-256 of the bytes, where it says so.
    pub sha256: Option<[u8; 32]>,
    /// Their number, where it says so.
    pub size: Option<u64>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A file that a channel is to keep for sending.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    /// What it is.
    pub mime_type: String,
    /// What it is called; may be empty.
    pub file_name: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A channel that keeps no files.
pub(super) fn keeps_none() -> Failure {
    Failure {
        advice: Advice::Reword,
        code: 0,
        title: "the channel keeps no files".to_owned(),
        details: "Send a link to the file instead.".to_owned(),
        retry_after: None,
    }
}
