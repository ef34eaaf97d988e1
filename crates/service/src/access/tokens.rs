use std::time::Duration;

use bus::{Bucket, BucketName, Bus, Change, Error, now};
use conversation::Time;
use proto::v1;
use proto::v1::token::Role;

use super::TokenText;
use crate::Secret;

/// Most tokens of a workspace that are neither revoked nor expired.
const MAX_TOKENS: usize = 1_000;

/// The tokens as the bus keeps them. Cheap to clone.
#[derive(Clone)]
pub struct Tokens(Bucket);

/// What a token is to stand for.
#[derive(Clone, Debug, Default)]
pub struct NewToken {
    /// The workspace that it opens; empty for all.
    pub workspace: String,
    /// What people call it.
    pub name: String,
    /// How far it goes.
    pub role: Role,
    /// Who acts with it; empty for whoever a request names.
    pub agent_id: String,
    /// What stamps show of that agent.
    pub agent_name: String,
    /// How long it is taken; none for ever.
    pub ttl: Option<Duration>,
}

/// Why nothing was done to a token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// There is none of that id in that workspace.
    #[error("there is no such token: list them")]
    Unknown,
    /// It is revoked, or has expired.
    #[error("it is revoked, or has expired: create another")]
    Ended,
    /// There are enough.
    #[error("the workspace has {MAX_TOKENS} tokens: revoke one first")]
    Full,
    /// The bus did not do it.
    #[error(transparent)]
    Bus(#[from] Error),
}

impl Tokens {
    /// The tokens of a bus.
    pub fn of(bus: &Bus) -> Tokens {
        Tokens(bus.bucket(BucketName::Access))
    }

    /// Makes a token. What is returned beside it is nowhere else.
    ///
    /// # Errors
    /// [`TokenError::Full`], [`TokenError::Bus`].
    pub async fn create(&self, new: NewToken) -> Result<(v1::Token, Secret), TokenError> {
        let now = now();
        let there = self.list(Some(&new.workspace)).await?;
        if there.iter().filter(|token| token.workspace == new.workspace && is_taken(token, now)).count() >= MAX_TOKENS {
            return Err(TokenError::Full);
        }
        let text = TokenText::draw();
        let expire_time = new.ttl.map(|ttl| proto::timestamp(now.plus(ttl)));
        let token = v1::Token {
            id: text.id().to_owned(),
            name: new.name,
            workspace: new.workspace,
            role: new.role.into(),
            agent_id: new.agent_id,
            agent_name: new.agent_name,
            create_time: Some(proto::timestamp(now)),
            expire_time,
            revoke_time: None,
        };
        let stored = v1::StoredToken { token: Some(token.clone()), hash: text.hash().to_vec().into() };
        self.0.put(text.id(), &stored, Some(0)).await?;
        Ok((token, text.expose()))
    }

    /// Tokens of a workspace, or all there are, newest first, with those that have ended.
    ///
    /// # Errors
    /// Of the bus.
    pub async fn list(&self, workspace: Option<&str>) -> Result<Vec<v1::Token>, Error> {
        let all = self.0.list::<v1::StoredToken>("").await?;
        let mut tokens: Vec<v1::Token> = all.into_iter().filter_map(|stored| stored.value.token).collect();
        tokens.retain(|token| workspace.is_none_or(|workspace| token.workspace == workspace));
        let made = |token: &v1::Token| token.create_time.as_ref().and_then(proto::time);
        tokens.sort_by(|a, b| made(b).cmp(&made(a)).then_with(|| a.id.cmp(&b.id)));
        Ok(tokens)
    }

    /// Refuses a token from now on. `workspace` is whose it has to be; none for any.
    ///
    /// # Errors
    /// [`TokenError::Unknown`], [`TokenError::Bus`].
    pub async fn revoke(&self, workspace: Option<&str>, id: &str) -> Result<v1::Token, TokenError> {
        let now = now();
        self.change(workspace, id, |token| {
            token.revoke_time.get_or_insert_with(|| proto::timestamp(now));
            true
        })
        .await
    }

    /// Makes another token like one, and lets that one expire after `overlap`.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn rotate(
        &self,
        workspace: Option<&str>,
        id: &str,
        overlap: Duration,
    ) -> Result<(v1::Token, Secret), TokenError> {
        let now = now();
        let old = self.change(workspace, id, |_| false).await?;
        if !is_taken(&old, now) {
            return Err(TokenError::Ended);
        }
        let time = |at: &Option<prost_types::Timestamp>| at.as_ref().and_then(proto::time);
        let ttl = match (time(&old.create_time), time(&old.expire_time)) {
            (Some(made), Some(end)) => Some(end.since(made)),
            _ => None,
        };
        let made = self
            .create(NewToken {
                workspace: old.workspace.clone(),
                name: old.name.clone(),
                role: old.role(),
                agent_id: old.agent_id.clone(),
                agent_name: old.agent_name.clone(),
                ttl,
            })
            .await?;
        let end = now.plus(overlap);
        self.change(workspace, id, |token| {
            let sooner = time(&token.expire_time).is_none_or(|expires| expires > end);
            if sooner {
                token.expire_time = Some(proto::timestamp(end));
            }
            sooner
        })
        .await?;
        Ok(made)
    }

    /// Whether a text is that of a token which is taken now.
    ///
    /// # Errors
    /// Of the bus.
    pub async fn knows(&self, text: &TokenText) -> Result<bool, Error> {
        let stored = self.0.get::<v1::StoredToken>(text.id()).await?.value;
        Ok(stored.is_some_and(|stored| {
            stored.hash == text.hash()[..] && stored.token.as_ref().is_some_and(|token| is_taken(token, now()))
        }))
    }

    /// Changes a token where `change` says that it did.
    async fn change(
        &self,
        workspace: Option<&str>,
        id: &str,
        change: impl Fn(&mut v1::Token) -> bool,
    ) -> Result<v1::Token, TokenError> {
        // Ids come from clients and become part of a subject.
        if !(1..=64).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(TokenError::Unknown);
        }
        let (_, found) = self
            .0
            .modify(id, |stored: Option<v1::StoredToken>, _| {
                let Some(mut stored) = stored else { return (Change::Keep, None) };
                let Some(token) = stored.token.as_mut() else { return (Change::Keep, None) };
                if workspace.is_some_and(|workspace| token.workspace != workspace) {
                    return (Change::Keep, None);
                }
                let changed = change(token);
                let after = token.clone();
                (if changed { Change::Put(stored) } else { Change::Keep }, Some(after))
            })
            .await?;
        found.ok_or(TokenError::Unknown)
    }
}

/// Whether a token is neither revoked nor expired.
pub(super) fn is_taken(token: &v1::Token, now: Time) -> bool {
    token.revoke_time.is_none() && !has_expired(token, now)
}

pub(super) fn has_expired(token: &v1::Token, now: Time) -> bool {
    // A time that can't be read is one that has passed.
    token.expire_time.as_ref().is_some_and(|end| proto::time(end).is_none_or(|end| end <= now))
}
