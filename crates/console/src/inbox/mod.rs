//! Every conversation, as the views of those who work on them.

mod changes;
mod handlers;
mod list;
mod views;

pub(crate) use changes::Changes;
pub(crate) use handlers::{key_list, keys, list, live, show};
pub(crate) use list::{Listed, load};
pub(crate) use views::Choice;
