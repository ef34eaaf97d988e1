//! The bare things: what JetStream and tonic do by themselves, with nothing of ours around them.

pub(crate) mod append;
pub(crate) mod stream;
