//! Drawing for a terminal: lines of styled text, tables, and a chat with its tickets as brackets.
//!
//! Nothing here prints or asks for the time: entries in, lines out.

mod block;
mod brackets;
mod chat;
mod line;
mod message;
mod table;
mod text;
pub(crate) mod words;

pub(crate) use chat::{Chat, Look};
pub(crate) use line::{Line, Style};
pub(crate) use table::{Align, Table, bar};
pub(crate) use text::{clean, fit, width};
