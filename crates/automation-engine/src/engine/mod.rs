//! Events in, decisions out.
//!
//! A worker takes each event of the log, in order for each conversation. The rules of its triggers are judged on one
//! context; those that apply run one after the other, each as one decision on exactly the state that it was judged on.
//! Timers, events of other systems, and agents who come and go set rules off in the same way.
//!
//! What [`happening`], [`context`], [`judge`] and [`plan`] do is pure, so that the past can be rehearsed with it.

mod book;
mod compiled;
mod consider;
mod context;
mod fire;
mod happening;
mod judge;
mod limits;
mod once;
mod outside;
mod picks;
mod plan;
mod react;
mod scene;
mod steps;
mod view;
mod workers;

use std::sync::Arc;

use bus::{Bus, Directory};

use crate::assign::{AssignOptions, Assigner};
use crate::options::Options;
use crate::outbound::Hooks;

use book::Book;
use limits::Limits;
use view::View;

pub(crate) use book::body_key;
pub(crate) use compiled::{CompiledSet, Versioned};
pub(crate) use context::{Facts, context as build_context, ticket_id};
pub(crate) use fire::{MAX_DEPTH, did_nothing, finish, run_of};
pub(crate) use happening::{Happening, actor as actor_fields, assignee as assignee_fields, of_event};
pub(crate) use judge::{judge, truth};
pub(crate) use outside::{external, system};
pub(crate) use picks::{spec, wants_last};
pub(crate) use plan::{Accepted, Picked, Planned, Sealer, accept, actor_of, plan};
pub(crate) use scene::{Scene, away};
pub(crate) use steps::{Progress, tell};

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The address of `TicketService` is none.
    #[error("automation.ticket_service is no address: {0}")]
    TicketService(#[from] tonic::transport::Error),
    /// No TLS for calls to other systems.
    #[error("calls to other systems can't be made: {0}")]
    Calls(#[from] service::outbound::NoTls),
    /// The bus did not do it.
    #[error(transparent)]
    Bus(#[from] bus::Error),
}

/// Runs rules. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

/// What everything in the engine shares.
pub struct Inner {
    pub(crate) bus: Bus,
    pub(crate) options: Options,
    pub(crate) book: Book,
    pub(crate) directory: Directory,
    pub(crate) assigner: Assigner,
    pub(crate) hooks: Hooks,
    view: View,
    limits: Limits,
}

impl std::ops::Deref for Engine {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Engine {
    /// An engine that does nothing until [`Engine::start`].
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn new(bus: Bus, options: Options) -> Result<Engine, EngineError> {
        let directory = Directory::new(bus.clone());
        Ok(Engine(Arc::new(Inner {
            book: Book::new(bus.clone()),
            assigner: Assigner::new(bus.clone(), directory.clone(), AssignOptions::default()),
            hooks: Hooks::new(bus.clone(), options.clone())?,
            view: View::at(&options.ticket_service, options.bearer.clone(), &options.certificates)?,
            limits: Limits::new(),
            directory,
            options,
            bus,
        })))
    }
}
