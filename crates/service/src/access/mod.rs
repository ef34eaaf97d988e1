//! The doors: who may come in, and how far.
//!
//! A token opens one workspace, or all, for one role. [`Doors`] stand in front of every gRPC service: nothing gets past
//! them that [`methods`] does not name, and the workspace and the actor of a request are looked at there, by the
//! descriptors of the contract, so that no service can forget to.

mod bearer;
mod book;
mod gate;
mod methods;
mod pass;
mod request;
mod stream;
mod text;
mod tokens;

use bus::Bus;

use crate::config::{Config, ConfigError};
use crate::{Supervisor, status};

pub use bearer::{Bearer, BearerError};
pub use book::TokenBook;
pub use pass::Caller;
pub use text::TokenText;
pub use tokens::{NewToken, TokenError, Tokens};

pub(crate) use gate::GateLayer;

/// What stands in front of the services of a process. Cheap to clone.
#[derive(Clone)]
pub struct Doors(Option<TokenBook>);

/// Why a process has no doors.
#[derive(Debug, thiserror::Error)]
pub enum DoorsError {
    /// They were to be open, and somebody else's machine could come in.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The tokens could not be read.
    #[error("the tokens can't be read: {0}")]
    Bus(#[from] bus::Error),
}

impl Doors {
    /// No doors: whoever reaches the port may do anything. For tests, and what listens on loopback alone; from a
    /// configuration they come by [`Doors::from_config`].
    pub fn open() -> Doors {
        Doors(None)
    }

    /// Doors that let in whom a book knows.
    pub fn kept(book: TokenBook) -> Doors {
        Doors(Some(book))
    }

    /// What the configuration asks for. The book of tokens is followed until shutdown.
    ///
    /// # Errors
    /// [`DoorsError::Config`] when the doors were to be open while a listener is not on loopback.
    pub async fn from_config(config: &Config, bus: &Bus, supervisor: &Supervisor) -> Result<Doors, DoorsError> {
        config.check_doors()?;
        if !config.access.required {
            tracing::warn!("access.required is false: whoever reaches a port of this machine may do anything");
            return Ok(Doors::open());
        }
        let book = TokenBook::read(bus.clone(), &config.access).await?;
        book.follow(supervisor);
        Ok(Doors::kept(book))
    }

    pub(crate) fn layer(self) -> GateLayer {
        GateLayer::new(self.0)
    }
}

/// Why a call is turned away before it reaches a service.
fn turned_away(code: tonic::Code, reason: &str, why: impl Into<String>) -> tonic::Status {
    status::refused(code, reason, "", why)
}
