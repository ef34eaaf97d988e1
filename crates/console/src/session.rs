//! Who looks at the page.
//!
//! A browser holds a random id in a cookie that scripts can't read; what it stands for stays here: the token that the
//! services are asked with, and who acts. It is kept in a file whose name is a hash of the id and whose content is sealed
//! under another one, so neither the disk nor the cookie alone is of use to anybody, and a restart ends no session.

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proto::v1;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use service::Secret;
use service::access::Bearer;
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;
use crate::lang::{Lang, Local};
use crate::server::Shared;
use crate::services::Services;

const COOKIE: &str = "threadmark";
/// Written by the page's script: the zone of the browser's clock.
const ZONE: &str = "zone";
/// In seconds: a month. A token may end sooner.
const LASTS: u32 = 30 * 24 * 3_600;
/// Sessions in memory; others are read from their files.
const IN_MEMORY: usize = 10_000;
/// Sessions on the disk, of less than a kilobyte each. Beyond, those that began first end.
const ON_DISK: usize = 100_000;

/// How it is known who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acting {
    /// The token is this agent's, and says so to the services, whatever a page says.
    Itself,
    /// The token may act as any agent, and whoever showed it chose this one.
    Chosen,
    /// The services ask for no token.
    Untold,
}

/// An agent of a workspace, the zone of their clock, and their language.
#[derive(Clone)]
pub(crate) struct Who {
    pub(crate) workspace: String,
    pub(crate) agent: String,
    pub(crate) name: String,
    pub(crate) acting: Acting,
    pub(crate) zone: Local,
    /// The services, asked with the token of this person.
    pub(crate) services: Services,
}

impl Who {
    /// Words of a page in their language.
    pub(crate) fn t(&self, english: &'static str) -> &'static str {
        self.zone.lang.t(english)
    }

    /// The same with values in the places of `{}`.
    pub(crate) fn fill(&self, english: &'static str, values: &[&str]) -> String {
        self.zone.lang.fill(english, values)
    }

    /// As they stand in a decision.
    pub(crate) fn actor(&self) -> v1::Actor {
        v1::Actor { kind: v1::actor::Kind::Agent.into(), id: self.agent.clone(), display_name: self.name.clone() }
    }

    /// As they stand in an assignment.
    pub(crate) fn assignee(&self) -> v1::Assignee {
        v1::Assignee { agent_id: self.agent.clone(), team_id: String::new() }
    }
}

/// What a session is.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The token; empty where the services ask for none.
    pub(crate) token: String,
    /// The one workspace that the token opens; empty for all.
    pub(crate) only: String,
    /// Whether the token may add agents.
    pub(crate) hires: bool,
    /// Whether the token says who acts.
    pub(crate) is_fixed: bool,
    pub(crate) workspace: String,
    /// Empty until somebody was chosen.
    pub(crate) agent: String,
    pub(crate) name: String,
    /// When it ends, in seconds of the Unix epoch.
    pub(crate) until: i64,
}

impl Session {
    /// What a token stands for, as the services tell.
    pub(crate) fn of(secret: &Secret, token: &v1::Token) -> Session {
        let is_fixed = !token.agent_id.is_empty() && !token.workspace.is_empty();
        let agent = if is_fixed { token.agent_id.clone() } else { String::new() };
        let name = if token.agent_name.is_empty() { agent.clone() } else { token.agent_name.clone() };
        Session {
            token: secret.expose().to_owned(),
            only: token.workspace.clone(),
            hires: token.role() >= v1::token::Role::Admin,
            is_fixed,
            workspace: token.workspace.clone(),
            agent,
            name,
            until: 0,
        }
    }

    /// The services, asked with its token.
    pub(crate) fn services(&self, services: &Services) -> Services {
        let bearer = match self.token.is_empty() {
            true => Bearer::none(),
            // It was read as one when the session began.
            false => Bearer::of(&Secret::new(self.token.clone()), "the session").unwrap_or_default(),
        };
        services.with(bearer)
    }
}

/// Every session. Where nothing can be written they end with the process.
pub(crate) struct Sessions {
    dir: Option<PathBuf>,
    open: Mutex<HashMap<String, Arc<Session>>>,
}

impl Sessions {
    /// Keeps them in a directory, and forgets those that have been there too long.
    pub(crate) fn new(dir: &Path) -> Sessions {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
        if let Err(error) = &made {
            tracing::warn!(%error, dir = %dir.display(), "sessions can't be kept: a restart will end them");
        }
        let sessions = Sessions { dir: made.is_ok().then(|| dir.to_owned()), open: Mutex::default() };
        sessions.sweep();
        sessions
    }

    /// Forgets those whose time is over, and the oldest of more than there is room for.
    pub(crate) fn sweep(&self) {
        let now = Timestamp::now().as_second();
        self.open.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, session| now < session.until);
        let files = self.dir.iter().filter_map(|dir| fs::read_dir(dir).ok()).flatten().flatten();
        let mut files: Vec<_> = files.map(|file| (age(&file.path()), file.path())).collect();
        files.sort_unstable();
        for (nth, (age, file)) in files.iter().enumerate() {
            if nth >= ON_DISK || *age >= Duration::from_secs(LASTS.into()) {
                let _ = fs::remove_file(file);
            }
        }
    }

    /// Begins a session; returns the id that the browser is to show.
    pub(crate) fn begin(&self, session: Session) -> String {
        let session = Session { until: Timestamp::now().as_second() + i64::from(LASTS), ..session };
        let mut bytes = [0_u8; 32];
        if SystemRandom::new().fill(&mut bytes).is_err() {
            // Nobody is let in by an id that can be guessed.
            return String::new();
        }
        let id = hex(&bytes);
        if let Some(file) = self.file(&id)
            && let Err(error) = keep(&file, &id, &session)
        {
            tracing::warn!(%error, "a session can't be kept: a restart will end it");
        }
        self.remember(name(&id), Arc::new(session));
        id
    }

    /// The session of an id, unless its time is over.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Session>> {
        self.find_at(id, Timestamp::now().as_second())
    }

    fn find_at(&self, id: &str, now: i64) -> Option<Arc<Session>> {
        if id.len() != 64 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let name = name(id);
        let known = self.open.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
        let found = known.or_else(|| {
            let kept = fs::read(self.file(id)?).ok()?;
            let session: Arc<Session> = Arc::new(serde_json::from_slice(&unsealed(id, kept)?).ok()?);
            self.remember(name, Arc::clone(&session));
            Some(session)
        })?;
        if now >= found.until {
            self.end(id);
            return None;
        }
        Some(found)
    }

    /// Ends the session of an id.
    pub(crate) fn end(&self, id: &str) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&name(id));
        if let Some(file) = self.file(id) {
            let _ = fs::remove_file(file);
        }
    }

    fn remember(&self, name: String, session: Arc<Session>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= IN_MEMORY {
            let oldest = open.iter().min_by_key(|(_, session)| session.until).map(|(name, _)| name.clone());
            oldest.and_then(|name| open.remove(&name));
        }
        open.insert(name, session);
    }

    fn file(&self, id: &str) -> Option<PathBuf> {
        Some(self.dir.as_ref()?.join(name(id)))
    }
}

/// How long ago a file was written; for ever, where nobody can say.
fn age(file: &Path) -> Duration {
    let written = fs::metadata(file).and_then(|metadata| metadata.modified());
    written.map_or(Duration::MAX, |at| at.elapsed().unwrap_or_default())
}

fn keep(file: &Path, id: &str, session: &Session) -> std::io::Result<()> {
    let sealed = serde_json::to_vec(session).ok().and_then(|clear| sealed(id, clear));
    let sealed = sealed.ok_or_else(|| std::io::Error::other("it can't be sealed"))?;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?.write_all(&sealed)
}

/// Each id seals one session, once, so its nonce may be nothing.
fn key(id: &str) -> Option<(LessSafeKey, Nonce)> {
    let key = Sha256::digest(format!("threadmark session key {id}"));
    Some((LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &key).ok()?), Nonce::assume_unique_for_key([0; 12])))
}

fn sealed(id: &str, mut clear: Vec<u8>) -> Option<Vec<u8>> {
    let (key, nonce) = key(id)?;
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut clear).ok()?;
    Some(clear)
}

fn unsealed(id: &str, mut sealed: Vec<u8>) -> Option<Vec<u8>> {
    let (key, nonce) = key(id)?;
    let length = key.open_in_place(nonce, Aad::empty(), &mut sealed).ok()?.len();
    sealed.truncate(length);
    Some(sealed)
}

fn name(id: &str) -> String {
    hex(&Sha256::digest(format!("threadmark session name {id}")))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The header that gives a browser its id. Behind a proxy that speaks TLS, it goes over TLS alone.
pub(crate) fn remember(id: &str, headers: &HeaderMap) -> String {
    let by_tls = headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
    let secure = if by_tls { "; Secure" } else { "" };
    format!("{COOKIE}={id}; Path=/; HttpOnly; SameSite=Strict; Max-Age={LASTS}{secure}")
}

/// The header that takes it back.
pub(crate) fn forget() -> String {
    format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
}

/// The id that a browser shows.
pub(crate) fn shown(headers: &HeaderMap) -> Option<&str> {
    cookie(headers, COOKIE)
}

impl FromRequestParts<Shared> for Who {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Who, Failure> {
        let session = shown(&parts.headers).and_then(|id| app.sessions.find(id)).ok_or(Failure::SignIn)?;
        let configured = app.options.workspaces.get(&session.workspace).ok_or(Failure::SignIn)?;
        if session.agent.is_empty() {
            return Err(Failure::SignIn);
        }
        let browsers = cookie(&parts.headers, ZONE).and_then(decode).and_then(|name| TimeZone::get(&name).ok());
        let zone = browsers.unwrap_or_else(|| configured.clone());
        let lang = Lang::asked(&parts.headers);
        let services = session.services(&app.services);
        let acting = match (session.token.is_empty(), session.is_fixed) {
            (true, _) => Acting::Untold,
            (false, true) => Acting::Itself,
            (false, false) => Acting::Chosen,
        };
        let Session { workspace, agent, name, .. } = (*session).clone();
        Ok(Who { workspace, agent, name, acting, zone: Local { zone, lang }, services })
    }
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let each = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    each.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
}

/// Everything but letters, digits, `-` and `_` as percent signs and bytes in hex.
pub(crate) fn encode(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// The opposite of [`encode`]; `None` for what it never makes.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        let token = v1::Token { workspace: "acme".into(), agent_id: "ana".into(), ..v1::Token::default() };
        Session::of(&Secret::new("tm_very-secret"), &token)
    }

    #[test]
    fn a_session_outlives_the_process_and_ends_when_it_is_told_to() {
        let dir = tempfile::tempdir().unwrap();
        let sessions = Sessions::new(dir.path());
        let id = sessions.begin(session());
        let again = Sessions::new(dir.path());
        let found = again.find(&id).unwrap();
        assert_eq!((found.agent.as_str(), found.token.as_str()), ("ana", "tm_very-secret"));
        for other in ["", "../../etc/passwd", &id[1..], &id.replace(&id[..1], "x"), &"0".repeat(64)] {
            assert!(again.find(other).is_none(), "{other}");
        }
        again.end(&id);
        assert!(again.find(&id).is_none() && Sessions::new(dir.path()).find(&id).is_none());
    }

    #[test]
    fn a_session_ends_after_its_month_in_memory_and_on_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let sessions = Sessions::new(dir.path());
        let kept = || fs::read_dir(dir.path()).unwrap().count();
        let id = sessions.begin(session());
        let begun = Timestamp::now().as_second();
        assert!(sessions.find_at(&id, begun + i64::from(LASTS) - 60).is_some());
        assert!(sessions.find_at(&id, begun + i64::from(LASTS) + 60).is_none(), "known in memory");
        assert_eq!(kept(), 0, "its file is gone");
        let id = sessions.begin(session());
        let again = Sessions::new(dir.path());
        assert!(again.find_at(&id, begun + i64::from(LASTS) + 60).is_none(), "read from its file");
        sessions.end(&id);
        // Those that nobody asks for are swept.
        let (fresh, old) = (sessions.begin(session()), sessions.begin(session()));
        let month_ago = std::time::SystemTime::now() - Duration::from_secs(u64::from(LASTS) + 60);
        fs::File::options().write(true).open(sessions.file(&old).unwrap()).unwrap().set_modified(month_ago).unwrap();
        let over = Session { until: begun - 1, ..session() };
        sessions.remember(name(&old), Arc::new(over));
        sessions.sweep();
        assert!(sessions.find(&fresh).is_some() && sessions.find(&old).is_none());
        assert_eq!((kept(), sessions.open.lock().unwrap().len()), (1, 1));
    }

    #[test]
    fn no_more_sessions_stay_in_memory_than_there_is_room_for() {
        let dir = tempfile::tempdir().unwrap();
        let sessions = Sessions::new(dir.path());
        let first = sessions.begin(session());
        for nth in 0..IN_MEMORY as i64 {
            sessions.remember(nth.to_string(), Arc::new(Session { until: i64::MAX - nth, ..session() }));
        }
        assert_eq!(sessions.open.lock().unwrap().len(), IN_MEMORY);
        // The one that ends first went, and is found in its file.
        assert!(!sessions.open.lock().unwrap().contains_key(&name(&first)));
        assert!(sessions.find(&first).is_some());
    }

    #[test]
    fn what_lies_on_the_disk_tells_neither_the_token_nor_the_id() {
        let dir = tempfile::tempdir().unwrap();
        let id = Sessions::new(dir.path()).begin(session());
        let file = fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap();
        let text = String::from_utf8_lossy(&fs::read(file.path()).unwrap()).into_owned();
        assert!(!text.contains("very-secret") && !text.contains("ana"), "{text}");
        assert!(!file.file_name().to_string_lossy().contains(&id[..16]));
    }

    #[test]
    fn any_name_comes_back_from_a_cookie() {
        for name in ["ana", "Chloé; Path=/", "a.b%c", "مريم", ""] {
            let encoded = encode(name);
            assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_%".contains(&b)), "{encoded}");
            assert_eq!(decode(&encoded).as_deref(), Some(name));
        }
        assert_eq!(decode("%4"), None);
        assert_eq!(decode("%zz"), None);
    }
}
