//! The view: what the events come to, kept in the store.

pub(crate) mod keys;
pub(crate) mod rows;
