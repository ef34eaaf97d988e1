//! Keys of the bus's users.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bus::{Seed, User, users_conf};
use clap::Args;

use crate::failure::Failure;
use crate::output::Output;

pub(super) const EXAMPLES: &str = "\
In DIR every process has a folder of its own, to be given to it alone:
  ingest/ingest.nk, ingest/desk.nk, projection/projection.nk, automation-engine/…, bot/…, delivery/…, admin/admin.nk
  nats/users.conf    what the nats-server includes: `include users.conf`

Examples:
  threadmark admin keys keys                       # makes what is missing; keys that are there stay
  threadmark admin keys keys --rotate delivery     # another one for delivery: reload the server, restart the service
  nats-server --signal reload                      # takes the new users.conf
Then nats.keys = \"keys/bot\" in the configuration of the bot, and so on.";

/// Makes a key for each service, and the users that the bus lets in by them: each may do what its service does, and
/// nothing else.
#[derive(Debug, Args)]
pub(crate) struct Keys {
    /// Where they are kept
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Make another one for this user, in place of the one it has
    #[arg(long, value_name = "USER", value_parser = user)]
    rotate: Vec<User>,
}

fn user(name: &str) -> Result<User, String> {
    User::named(name).ok_or_else(|| format!("users are {}", User::ALL.map(User::name).join(", ")))
}

/// The process whose folder holds a user's key.
fn process(user: User) -> &'static str {
    match user {
        User::Ingest | User::Desk => User::Ingest.name(),
        user => user.name(),
    }
}

impl Keys {
    pub(super) fn run(self, out: &Output) -> Result<(), Failure> {
        let mut users = Vec::new();
        for user in User::ALL {
            let folder = self.folder.join(process(user));
            let file = folder.join(format!("{}.nk", user.name()));
            let failed = |error: std::io::Error| Failure::Failed(format!("{}: {error}", file.display()));
            fs::create_dir_all(&folder).map_err(failed)?;
            let made = self.rotate.contains(&user) || !file.exists();
            let seed = if made { Seed::make().and_then(|seed| keep(&file, seed)) } else { Seed::read(&file) };
            users.push((user, seed.and_then(|seed| seed.public()).map_err(failed)?));
            out.text(&format!("{}  {}", if made { "made" } else { "kept" }, file.display()))?;
        }
        let conf = self.folder.join("nats").join("users.conf");
        let failed = |error: std::io::Error| Failure::Failed(format!("{}: {error}", conf.display()));
        conf.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
        // In one step: a server that reloads reads a whole one.
        let fresh = conf.with_extension("new");
        fs::write(&fresh, users_conf(&users)).and_then(|()| fs::rename(&fresh, &conf)).map_err(failed)?;
        out.text(&format!("made  {}", conf.display()))
    }
}

/// Writes a seed for its owner alone, in one step.
fn keep(file: &Path, seed: Seed) -> std::io::Result<Seed> {
    let fresh = file.with_extension("new");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    writeln!(opened, "{}", seed.expose())?;
    opened.sync_all()?;
    fs::rename(&fresh, file)?;
    Ok(seed)
}
