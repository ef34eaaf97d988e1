//! What each workspace knows.

use std::sync::Arc;

use bus::Bus;
use service::Supervisor;

/// What every workspace knows, followed from the bus. Cheap to clone.
#[derive(Clone)]
pub struct Library(Arc<Inner>);

struct Inner {
    bus: Bus,
}

impl Library {
    /// A library that knows nothing until [`Library::start`].
    pub fn new(bus: Bus) -> Library {
        Library(Arc::new(Inner { bus }))
    }

    /// Follows the bus until shutdown begins.
    pub fn start(&self, _supervisor: &Supervisor) {
        let _ = &self.0.bus;
    }
}
