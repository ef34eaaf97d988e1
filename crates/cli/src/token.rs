//! The token that is shown: where it is looked for, and how one is left for others to find.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bus::Bus;
use service::access::{Bearer, NewToken, TokenError, TokenText, Tokens};
use service::config::Tls;
use service::{Certificates, Secret};

use crate::args::Globals;
use crate::client::Access;
use crate::failure::Failure;

/// Where a token may stand; never on the command line, which everybody on the machine can read.
const VARIABLE: &str = "THREADMARK_TOKEN";
const OWNER_ONLY: u32 = 0o600;

impl Globals {
    /// What is shown to the server: what a file or the environment says, else what `threadmark up` left on this machine
    /// for a server on loopback, else nothing.
    ///
    /// # Errors
    /// [`Failure::Usage`] when what was named holds no token.
    pub(crate) fn access(&self) -> Result<Access, Failure> {
        let [ca, cert, key] = [&self.ca, &self.cert, &self.key].map(|file| file.clone().unwrap_or_default());
        let tls = Tls { ca, cert, key, mutual: false };
        let certificates = Certificates::read(&tls).map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Access { bearer: self.bearer()?, certificates })
    }

    fn bearer(&self) -> Result<Bearer, Failure> {
        let usage = |error: service::access::BearerError| Failure::Usage(error.to_string());
        if let Some(file) = &self.token_file {
            return Bearer::from_file(file).map_err(usage);
        }
        match std::env::var(VARIABLE) {
            Ok(token) if !token.is_empty() => Bearer::of(&Secret::new(token), VARIABLE).map_err(usage),
            _ => Ok(found(&self.server).unwrap_or_default()),
        }
    }
}

fn found(server: &str) -> Option<Bearer> {
    let url = reqwest::Url::parse(server).or_else(|_| reqwest::Url::parse(&format!("http://{server}"))).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    let file = left_at(url.port_or_known_default()?)?;
    (is_here && file.exists()).then(|| Bearer::from_file(file).ok()).flatten()
}

/// Where the token of a server on a port of this machine is left for whoever started it.
fn left_at(port: u16) -> Option<PathBuf> {
    let of = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = of("XDG_STATE_HOME").or_else(|| Some(of("HOME")?.join(".local/state")))?;
    Some(state.join("threadmark").join(format!("{port}.token")))
}

/// A token that lies where the client commands look for it, for as long as this is kept.
pub(crate) struct Left(PathBuf);

impl Left {
    /// Leaves a token for a server on a port. None where there is no place for it.
    pub(crate) fn leave(port: u16, token: &Secret) -> Option<Left> {
        let file = left_at(port)?;
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(file.parent()?);
        match made.and_then(|()| write(&file, token)) {
            Ok(()) => Some(Left(file)),
            Err(error) => {
                tracing::warn!(%error, file = %file.display(), "client commands will not find the token by themselves");
                None
            }
        }
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = fs::remove_file(&self.0);
    }
}

/// The token in a file, if the bus takes it; else a new one, which then stands there for its owner alone.
///
/// # Errors
/// When the bus or the file can't be had.
pub(crate) async fn keep(bus: &Bus, file: &Path, new: NewToken) -> Result<Secret, Failure> {
    let failed = |error: TokenError| Failure::Failed(error.to_string());
    let tokens = Tokens::of(bus);
    if let Some(text) = fs::read_to_string(file).ok().and_then(|text| TokenText::parse(&text))
        && tokens.knows(&text).await.map_err(|error| failed(error.into()))?
    {
        return Ok(text.expose());
    }
    let (_, secret) = tokens.create(new).await.map_err(failed)?;
    write(file, &secret).map_err(|error| Failure::Failed(format!("can't write {}: {error}", file.display())))?;
    Ok(secret)
}

/// Another file takes the place of what was there, so that nobody reads half of it, or what was open to others.
fn write(file: &Path, token: &Secret) -> std::io::Result<()> {
    let beside = file.with_extension(format!("{}.new", std::process::id()));
    let mut new = fs::OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(&beside)?;
    let written = writeln!(new, "{}", token.expose()).and_then(|()| fs::rename(&beside, file));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_is_written_for_its_owner_alone_whatever_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("service.token");
        fs::write(&file, "open to all").unwrap();
        let token = TokenText::draw().expose();
        write(&file, &token).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap().trim(), token.expose());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
