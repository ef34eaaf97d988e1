//! The bare things: what JetStream and tonic do by themselves, with nothing of ours around them.

pub(crate) mod append;
pub(crate) mod echo;
pub(crate) mod fetch;
pub(crate) mod hop;
pub(crate) mod publish;
pub(crate) mod relay;
pub(crate) mod stream;
