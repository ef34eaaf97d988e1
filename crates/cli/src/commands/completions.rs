use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::args::Cli;
use crate::failure::Failure;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  source <(threadmark completions bash)
  threadmark completions zsh > ~/.zfunc/_threadmark
  threadmark completions fish > ~/.config/fish/completions/threadmark.fish";

/// Prints completions for a shell.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Completions {
    /// bash, zsh or fish
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "threadmark", &mut script);
        output::bytes(&script)
    }
}
