//! Files: those of customers come in from the channel before it forgets them, those that were uploaded go out to it.

mod again;
mod check;
mod inbound;
mod outbound;

use std::sync::Arc;

use crate::channel::Channel;

pub use inbound::{Inbound, InboundOptions};
pub use outbound::WithFiles;

/// Who finds the channel of a workspace by its address, such as "whatsapp:106540352242922"; `None` for one that nothing
/// is sent over or fetched from.
pub type Find = Arc<dyn Fn(&str, &str) -> Option<Arc<dyn Channel>> + Send + Sync>;
