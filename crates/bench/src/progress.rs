//! What is being done, on the last line of the terminal.

use std::io::{IsTerminal, Write, stderr};
use std::time::Instant;

/// Says on stderr how far the run has come: one line that is overwritten, or one for each step where nobody watches.
pub(crate) struct Progress {
    started: Instant,
    terminal: bool,
}

impl Progress {
    pub(crate) fn start() -> Progress {
        Progress { started: Instant::now(), terminal: stderr().is_terminal() }
    }

    pub(crate) fn say(&self, step: &str) {
        let seconds = self.started.elapsed().as_secs();
        let (minutes, seconds) = (seconds / 60, seconds % 60);
        if self.terminal {
            eprint!("\r\x1b[K[{minutes}:{seconds:02}] {step}");
            // Nothing depends on it.
            let _ = stderr().flush();
        } else {
            eprintln!("[{minutes}:{seconds:02}] {step}");
        }
    }

    pub(crate) fn clear(&self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
    }
}
