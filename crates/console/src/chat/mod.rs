//! One chat: its whole history as one scroll, with the windows of its tickets beside it.

mod act;
mod command;
mod compose;
mod handlers;
mod lanes;
mod live;
mod load;
pub(crate) mod media;
mod message;
mod panel;
mod rail;
mod row;
mod view;

pub(crate) use act::act;
pub(crate) use handlers::{entries, panel, show};
pub(crate) use live::live;
