//! Who looks at the page.
//!
//! For now people say who they are. Everything that a page does asks [`Who`], and only `sign_in` makes one, so that a
//! token can be asked for there.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use jiff::tz::TimeZone;
use proto::v1;

use crate::failure::Failure;
use crate::lang::{Lang, Local};
use crate::server::Shared;

const COOKIE: &str = "threadmark";
/// Written by the page's script: the zone of the browser's clock.
const ZONE: &str = "zone";
/// In seconds: a month.
const LASTS: u32 = 30 * 24 * 3_600;
/// The longest id of an agent, in bytes.
const MAX_ID: usize = 256;

/// An agent of a workspace, the zone of their clock, and their language.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) workspace: String,
    pub(crate) agent: String,
    pub(crate) name: String,
    pub(crate) zone: Local,
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

/// The header that remembers somebody.
pub(crate) fn remember(workspace: &str, agent: &str, name: &str) -> String {
    let value = [workspace, agent, name].map(encode).join(".");
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={LASTS}")
}

/// The header that forgets them.
pub(crate) fn forget() -> String {
    format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
}

impl FromRequestParts<Shared> for Who {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Who, Failure> {
        let value = cookie(&parts.headers, COOKIE).ok_or(Failure::SignIn)?;
        let mut fields = value.split('.').map(decode);
        let mut next = || fields.next().flatten().filter(|text| !text.is_empty() && text.len() <= MAX_ID);
        let (workspace, agent) = (next().ok_or(Failure::SignIn)?, next().ok_or(Failure::SignIn)?);
        let name = next().unwrap_or_else(|| agent.clone());
        let configured = app.options.workspaces.get(&workspace).ok_or(Failure::SignIn)?;
        let browsers = cookie(&parts.headers, ZONE).and_then(decode).and_then(|name| TimeZone::get(&name).ok());
        let zone = browsers.unwrap_or_else(|| configured.clone());
        let spoken = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let lang = Lang::of(spoken.unwrap_or_default());
        Ok(Who { workspace, agent, name, zone: Local { zone, lang } })
    }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
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
