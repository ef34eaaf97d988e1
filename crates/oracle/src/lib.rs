//! A second, naive reading of the rules of the window (W1-W12 of the design), for tests alone.
//!
//! It shares no code with `conversation`, `bus` or `projection`, keeps no compact state and is as slow as the rules
//! are long: every question is answered by going through the whole history again. Where it and the system disagree,
//! one of the two has misread a rule.
//!
//! Two ways in:
//!
//! - [`read`] takes a [`Log`], what stands on EVENTS of one workspace, pushed in any order and with repeats, and
//!   answers with a [`View`]: conversations, windows, timelines, metrics and counts. An adapter turns every event of
//!   a stream into one [`Event`] of plain strings and nanoseconds, and compares the view with what a server says.
//! - [`decide`] takes every decision made so far and a [`Command`], and says what must come of it.
//!
//! An adapter of `threadmark.v1.Event` goes by its `oneof event`; times are `occur_time` and `record_time` of the
//! envelope, the revision is the sequence on the stream:
//!
//! | on the stream | [`What`] |
//! |---|---|
//! | `message_received` | `Received` |
//! | `message_echoed` | `Echoed` |
//! | `message_backfilled` | `BackFilled`, inbound by its direction |
//! | `reaction_changed`, `message_edited`, `message_revoked` | `Changed`, target is `target_ref` |
//! | `message_status_changed` | `Status`, reference is `message_ref`, message is `message_id` |
//! | `contact_changed` | `ContactChanged` where it has a `type`, else `Silent` |
//! | `messages_read` | `Silent` |
//! | `decided` | `Decided`: entries, tags and bot change, never `after` or `closed` |
//!
//! W1 has a part here only so far as every event names its conversation: which one an address belongs to is for the
//! adapter to check.

mod command;
mod count;
mod decide;
mod log;
mod measure;
mod place;
mod read;
mod standing;
mod view;
mod windows;
mod words;

pub use command::{Action, Answer, Command, IfOpen, Past, Reason, Settings, Step, Which};
pub use count::{Basis, Count};
pub use decide::decide;
pub use log::{Decided, Entry, Event, Log, Mark, Stamp, What};
pub use read::{read, read_as_of};
pub use standing::{OpenTicket, Standing, standing};
pub use view::{Conversation, Line, Metrics, Shown, Span, View, Window};
pub use words::{Actor, Assignee, Kind, Nanos};
