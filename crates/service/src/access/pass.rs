use std::sync::Arc;

use proto::v1;
use proto::v1::token::Role;
use tonic::Extensions;

/// Who makes a call. Each call that gets to a service carries one.
#[derive(Clone, Debug)]
pub struct Caller(Arc<v1::Token>);

impl Caller {
    pub(super) fn new(token: v1::Token) -> Caller {
        Caller(Arc::new(token))
    }

    /// Who comes in where there are no doors: a service of every workspace.
    pub(super) fn anyone() -> Caller {
        let token = v1::Token { name: "no token".to_owned(), role: Role::Service.into(), ..v1::Token::default() };
        Caller::new(token)
    }

    /// The one of a request. None but whoever gets past the doors has one: nobody, with a role of nothing.
    pub fn of(extensions: &Extensions) -> Caller {
        extensions.get().cloned().unwrap_or_else(|| Caller::new(v1::Token::default()))
    }

    /// What the token stands for.
    pub fn token(&self) -> &v1::Token {
        &self.0
    }
}
