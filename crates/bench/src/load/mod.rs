//! What is done to the system while it is measured.

pub(crate) mod ask;
pub(crate) mod bot;
pub(crate) mod history;
pub(crate) mod hooks;
pub(crate) mod http;
pub(crate) mod log;
pub(crate) mod pace;
pub(crate) mod rules;
pub(crate) mod sends;
pub(crate) mod watcher;
pub(crate) mod webhook;
