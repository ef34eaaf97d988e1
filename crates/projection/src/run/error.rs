use crate::store;
use crate::view;

/// Why the projection does not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bus is away.
    #[error(transparent)]
    Bus(#[from] bus::Error),
    /// The store under the view.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The log is not the one that the view was made from.
    #[error("the log is not the one that the view was made from: building the view anew")]
    AnotherLog,
    /// The view itself.
    #[error("{0}")]
    View(String),
    /// The view's files are damaged.
    #[error("the view is damaged and has to be built anew: {0}")]
    Damaged(String),
}

impl Error {
    pub(crate) fn panicked(error: tokio::task::JoinError) -> Error {
        Error::View(format!("folding ended: {error}"))
    }

    /// Whether building anew is the remedy.
    pub(crate) fn is_corrupt(&self) -> bool {
        match self {
            Error::Store(error) => error.is_corrupt(),
            Error::Damaged(_) => true,
            Error::Bus(_) | Error::AnotherLog | Error::View(_) => false,
        }
    }
}

impl From<view::error::Error> for Error {
    fn from(error: view::error::Error) -> Error {
        if error.is_corrupt() { Error::Damaged(error.to_string()) } else { Error::View(error.to_string()) }
    }
}
