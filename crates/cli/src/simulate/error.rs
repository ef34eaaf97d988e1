/// Why a simulation can't go on. What passes (the server away, overloaded, restarted) is waited out instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An option that can't be.
    #[error("{0}")]
    Option(String),
    /// The webhook's answer is one that trying again does not change.
    #[error("the webhook at {url} answered {status}: {hint}")]
    Refused {
        /// Where.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What to do about it.
        hint: &'static str,
    },
}

impl Error {
    /// Of an HTTP status that is neither success nor passing.
    pub(super) fn refused(url: &str, status: u16) -> Error {
        let hint = match status {
            401 | 403 => "check --secret: it has to be the app_secret of the channel",
            404 | 405 => "check --http: webhooks are at /webhooks/whatsapp, and at /webhooks/whatsapp/WORKSPACE",
            413 => "the bodies are too long for it: choose a smaller --batch",
            _ => "the server's log says why",
        };
        Error::Refused { url: url.to_owned(), status, hint }
    }
}
