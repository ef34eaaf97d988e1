use crate::store;

/// Why the view could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// See [`store::Error`].
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A row that this build did not write so: the store has to be rebuilt from the event log.
    #[error("a row of table {table:?} cannot be read: the view has to be rebuilt from the event log")]
    Row {
        /// The first byte of its key.
        table: char,
    },
}

impl Error {
    pub(crate) fn row(table: u8) -> Self {
        Self::Row { table: char::from(table) }
    }

    /// Whether a rebuild is the remedy.
    pub(crate) fn is_corrupt(&self) -> bool {
        match self {
            Self::Store(error) => error.is_corrupt(),
            Self::Row { .. } => true,
        }
    }
}
