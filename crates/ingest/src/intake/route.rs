//! Whose an item is.

use std::collections::BTreeSet;

use service::Secret;
use service::config::{Channel, ChannelKind};

use crate::signature::{is_secret, signed_by};

/// The path that a webhook came in on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path<'a> {
    /// `/webhooks/{channel}`: every channel of the kind.
    Bare,
    /// `/webhooks/{channel}/{workspace}`: those of one workspace.
    Workspace(&'a str),
}

/// Why an item belongs to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stray {
    /// No channel has this number.
    #[error("no channel is configured for this phone_number_id")]
    UnknownNumber,
    /// The number is another's.
    #[error("the channel of this phone_number_id has another app_secret than the one that signed")]
    OtherSecret,
    /// It could be told only by the path.
    #[error("more than one workspace could claim this: use the path that ends with /{{workspace}}")]
    Ambiguous,
}

/// The channels, as webhooks see them.
pub(crate) struct Routes {
    channels: Vec<Channel>,
}

/// What a signature opens: the channels on this path that have the secret.
pub(crate) struct Signer<'a> {
    /// Every channel on the path.
    allowed: Vec<&'a Channel>,
    secret: &'a Secret,
}

impl Routes {
    pub(crate) fn new(channels: Vec<Channel>) -> Routes {
        Routes { channels }
    }

    fn allowed(&self, kind: ChannelKind, path: Path<'_>) -> Vec<&Channel> {
        let on_path = |channel: &Channel| match path {
            Path::Bare => true,
            Path::Workspace(workspace) => channel.workspace == workspace,
        };
        let allowed = |channel: &&Channel| channel.kind == kind && on_path(channel);
        self.channels.iter().filter(allowed).collect()
    }

    /// Whether a channel on the path has this token for verifying the webhook's address.
    pub(crate) fn verifies(&self, kind: ChannelKind, path: Path<'_>, token: &str) -> bool {
        // Counted rather than searched: the time does not tell which one it was.
        self.allowed(kind, path).iter().filter(|channel| is_secret(&channel.verify_token, token)).count() > 0
    }

    /// Who signed; `None` if it was none of the secrets that the path allows.
    pub(crate) fn signer(&self, kind: ChannelKind, path: Path<'_>, body: &[u8], signature: &str) -> Option<Signer<'_>> {
        let allowed = self.allowed(kind, path);
        let mut secrets: Vec<Secret> = Vec::new();
        for channel in &allowed {
            if !secrets.contains(&channel.app_secret) {
                secrets.push(channel.app_secret.clone());
            }
        }
        let secret = secrets.get(signed_by(body, signature, &secrets)?)?;
        let secret = allowed.iter().map(|channel| &channel.app_secret).find(|of_channel| *of_channel == secret)?;
        Some(Signer { allowed, secret })
    }
}

impl<'a> Signer<'a> {
    /// The workspace of an item that names `phone_number_id`. A channel of exactly this number keeps a signer who
    /// only has a channel of any number from taking it.
    pub(crate) fn workspace(&self, phone_number_id: Option<&str>) -> Result<&'a str, Stray> {
        let of = |id: &str| self.allowed.iter().copied().filter(|channel| channel.phone_number_id == id).collect();
        let exact: Vec<&Channel> = phone_number_id.map(of).unwrap_or_default();
        let any: Vec<&Channel> = if phone_number_id.is_some() { of(ANY) } else { self.allowed.clone() };
        if exact.is_empty() && any.is_empty() {
            return Err(Stray::UnknownNumber);
        }
        let mine = |channels: &[&'a Channel]| -> BTreeSet<&'a str> {
            let signed = channels.iter().filter(|channel| channel.app_secret == *self.secret);
            signed.map(|channel| channel.workspace.as_str()).collect()
        };
        let mut claims = mine(&exact);
        if claims.is_empty() && !exact.is_empty() {
            return Err(Stray::OtherSecret);
        }
        claims.extend(mine(&any));
        match (claims.len(), claims.first()) {
            (1, Some(workspace)) => Ok(workspace),
            (0, _) => Err(Stray::OtherSecret),
            _ => Err(Stray::Ambiguous),
        }
    }
}

/// The phone_number_id of a channel that takes any.
const ANY: &str = "*";

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(workspace: &str, phone_number_id: &str, secret: &str) -> Channel {
        Channel {
            kind: Default::default(),
            workspace: workspace.to_owned(),
            phone_number_id: phone_number_id.to_owned(),
            app_secret: Secret::new(secret),
            verify_token: Secret::new(format!("verify-{workspace}")),
            access_token: Secret::default(),
            api_base: String::new(),
        }
    }

    fn verifies(routes: &Routes, path: Path<'_>, token: &str) -> bool {
        routes.verifies(ChannelKind::Whatsapp, path, token)
    }

    /// Whose an item is, of a body signed by `secret`.
    fn whose(channels: &[Channel], path: Path<'_>, secret: &str, number: Option<&str>) -> Result<String, Stray> {
        let routes = Routes::new(channels.to_vec());
        let allowed = routes.allowed(ChannelKind::Whatsapp, path);
        let secret = &Secret::new(secret);
        Signer { allowed, secret }.workspace(number).map(str::to_owned)
    }

    #[test]
    fn a_number_has_one_workspace() {
        let channels = [channel("acme", "1", "a"), channel("beta", "2", "b")];
        assert_eq!(whose(&channels, Path::Bare, "a", Some("1")), Ok("acme".to_owned()));
        assert_eq!(whose(&channels, Path::Bare, "a", Some("2")), Err(Stray::OtherSecret));
        assert_eq!(whose(&channels, Path::Bare, "a", Some("3")), Err(Stray::UnknownNumber));
        assert_eq!(whose(&channels, Path::Workspace("acme"), "a", Some("2")), Err(Stray::UnknownNumber));
        assert_eq!(whose(&channels, Path::Bare, "a", None), Ok("acme".to_owned()));
    }

    #[test]
    fn the_same_number_in_two_workspaces_is_told_by_secret_or_path() {
        let apart = [channel("acme", "1", "a"), channel("beta", "1", "b")];
        assert_eq!(whose(&apart, Path::Bare, "b", Some("1")), Ok("beta".to_owned()));
        let same = [channel("acme", "1", "s"), channel("beta", "1", "s")];
        assert_eq!(whose(&same, Path::Bare, "s", Some("1")), Err(Stray::Ambiguous));
        assert_eq!(whose(&same, Path::Bare, "s", None), Err(Stray::Ambiguous));
        assert_eq!(whose(&same, Path::Workspace("beta"), "s", Some("1")), Ok("beta".to_owned()));
        let wild = [channel("acme", "1", "s"), channel("demo", "*", "s")];
        assert_eq!(whose(&wild, Path::Bare, "s", Some("1")), Err(Stray::Ambiguous));
        assert_eq!(whose(&wild, Path::Bare, "s", Some("2")), Ok("demo".to_owned()));
    }

    #[test]
    fn a_channel_of_any_number_cannot_take_anothers() {
        let channels = [channel("acme", "1", "a"), channel("demo", "*", "d")];
        assert_eq!(whose(&channels, Path::Bare, "d", Some("1")), Err(Stray::OtherSecret));
        assert_eq!(whose(&channels, Path::Bare, "d", Some("9")), Ok("demo".to_owned()));
        assert_eq!(whose(&channels, Path::Workspace("demo"), "d", Some("1")), Ok("demo".to_owned()));
    }

    #[test]
    fn tokens_verify_on_their_path() {
        let routes = Routes::new(vec![channel("acme", "1", "a"), channel("beta", "2", "b")]);
        assert!(
            verifies(&routes, Path::Bare, "verify-beta") && verifies(&routes, Path::Workspace("beta"), "verify-beta")
        );
        assert!(!verifies(&routes, Path::Workspace("acme"), "verify-beta") && !verifies(&routes, Path::Bare, ""));
    }
}
