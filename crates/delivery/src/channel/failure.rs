use std::time::Duration;

/// A call that a channel did not take, or whose answer is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{title} (code {code}): {details}")]
pub struct Failure {
    /// What to do now.
    pub advice: Advice,
    /// The channel's own code; 0 where it gave none.
    pub code: i32,
    /// The channel's words, or ours where it had none.
    pub title: String,
    /// More of them, and what a human can do about it.
    pub details: String,
    /// How long the channel asks to be left alone.
    pub retry_after: Option<Duration>,
}

/// What a failure asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// It did not go out and may soon: the same call again after a pause.
    Retry,
    /// It did not go out: the channel can't be reached. Everything of this number waits.
    Away,
    /// It did not go out: this number sends too fast. Everything of it has to wait.
    SlowNumber,
    /// It did not go out: this recipient got too much of late. What is for them has to wait.
    SlowPair,
    /// It did not go out and never will as it is: it has to be said in another way (a template, other parameters).
    Reword,
    /// It did not go out and never will to this recipient.
    Unreachable,
    /// It did not go out: the number is locked, or our token is not taken. Nothing goes out until a human mends that.
    StopChannel,
    /// It may have gone out: the answer was lost.
    Unknown,
}
