//! The view: what the events come to, kept in the store.

pub(crate) mod cache;
pub(crate) mod counters;
pub(crate) mod error;
pub(crate) mod fold;
pub(crate) mod fresh;
pub(crate) mod keys;
pub(crate) mod live;
pub(crate) mod rows;
