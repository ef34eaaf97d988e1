use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use prost::Message as _;
use proto::v1;
use proto::v1::token::Role;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{HeaderMap, Request, Response, header};
use tonic::{Code, Status};
use tower::Layer;

use super::book::TokenBook;
use super::methods::{Method, Scope, method};
use super::stream::Checked;
use super::{Caller, TokenText, request, turned_away};
use crate::MAX_REQUEST_BYTES;
use crate::status::invalid;

/// What a body has around its message.
const HEADER_BYTES: usize = 5;
/// What anybody may ask: whether a service is well, and what the contract is, which is published anyway.
const OPEN: [&str; 3] = ["/grpc.health.v1.Health/", "/grpc.reflection.v1.", "/grpc.reflection.v1alpha."];

/// Puts the doors in front of services.
#[derive(Clone)]
pub(crate) struct GateLayer(Option<TokenBook>);

impl GateLayer {
    pub(super) fn new(book: Option<TokenBook>) -> GateLayer {
        GateLayer(book)
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, inner: S) -> Gate<S> {
        Gate { book: self.0.clone(), inner }
    }
}

/// Services with doors in front of them.
#[derive(Clone)]
pub(crate) struct Gate<S> {
    book: Option<TokenBook>,
    inner: S,
}

impl<S> Service<Request<Body>> for Gate<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The one that is ready goes; its clone need not be.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let Some(book) = self.book.clone() else {
            request.extensions_mut().insert(Caller::anyone());
            return Box::pin(inner.call(request));
        };
        if OPEN.iter().any(|open| request.uri().path().starts_with(open)) {
            return Box::pin(inner.call(request));
        }
        Box::pin(async move {
            let (request, caller, streams) = match admit(&book, request).await {
                Ok(admitted) => admitted,
                Err(status) => return Ok(status.into_http()),
            };
            let response = inner.call(request).await?;
            Ok(match streams {
                true => response.map(|body| Body::new(Checked::new(body, book, caller))),
                false => response,
            })
        })
    }
}

/// Lets a request in as it may be seen by a service, or not.
async fn admit(book: &TokenBook, request: Request<Body>) -> Result<(Request<Body>, Caller, bool), Status> {
    let caller = book.caller(&presented(request.headers())?).await?;
    let Some(method) = method(request.uri().path()) else {
        return Err(turned_away(Code::PermissionDenied, "METHOD_UNKNOWN", "there is no such method for anybody"));
    };
    check_role(caller.token(), method)?;
    let (mut parts, body) = request.into_parts();
    let body = Limited::new(body, HEADER_BYTES + MAX_REQUEST_BYTES).collect().await;
    let body = body.map_err(|_| invalid("", format!("breaks off, or is larger than {MAX_REQUEST_BYTES} bytes")))?;
    let message = request::message(&body.to_bytes()).ok_or_else(unreadable)?;
    check_workspace(caller.token(), method, &message)?;
    let message = as_the_agent(caller.token(), method, message)?;
    parts.extensions.insert(caller.clone());
    // What came may be longer now.
    parts.headers.remove(header::CONTENT_LENGTH);
    let request = Request::from_parts(parts, Body::new(Full::new(request::body(&message))));
    Ok((request, caller, method.streams))
}

fn presented(headers: &HeaderMap) -> Result<TokenText, Status> {
    let mut given = headers.get_all(header::AUTHORIZATION).into_iter();
    let how = "send a token as metadata `authorization: Bearer tm_…`; `threadmark admin token create` makes one";
    let (Some(first), None) = (given.next(), given.next()) else {
        return Err(turned_away(Code::Unauthenticated, "TOKEN_MISSING", how));
    };
    let text = first.to_str().ok().and_then(|text| text.split_once(' '));
    let text = text.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    text.and_then(|(_, token)| TokenText::parse(token)).ok_or_else(|| {
        turned_away(Code::Unauthenticated, "TOKEN_MALFORMED", format!("what was sent is no token: {how}"))
    })
}

fn check_role(token: &v1::Token, method: &Method) -> Result<(), Status> {
    // Roles are numbered by what they may do.
    if token.role() != Role::Unspecified && token.role() >= method.role {
        return Ok(());
    }
    let (has, needs) = (token.role().as_str_name(), method.role.as_str_name());
    Err(turned_away(Code::PermissionDenied, "ROLE_TOO_LOW", format!("this takes a token of role {needs}, not {has}")))
}

fn check_workspace(token: &v1::Token, method: &Method, message: &Bytes) -> Result<(), Status> {
    if token.workspace.is_empty() && token.role() == Role::Service {
        return Ok(());
    }
    let fine = match method.scope {
        Scope::Token => true,
        Scope::Everything => false,
        Scope::Workspace(field) => {
            let named = request::occurrences(message, field).ok_or_else(unreadable)?;
            !named.is_empty() && named.iter().all(|named| *named == token.workspace)
        }
    };
    if fine {
        return Ok(());
    }
    let why = match method.scope {
        Scope::Everything => "this is of all workspaces, and takes a SERVICE token of all workspaces".to_owned(),
        _ => format!("the token opens the workspace {:?} and no other", token.workspace),
    };
    Err(turned_away(Code::PermissionDenied, "OTHER_WORKSPACE", why))
}

/// A request in which the one who acts is the agent of the token.
fn as_the_agent(token: &v1::Token, method: &Method, mut message: Bytes) -> Result<Bytes, Status> {
    if token.role() == Role::Service {
        return Ok(message);
    }
    let other = |why: &str| turned_away(Code::PermissionDenied, "OTHER_ACTOR", why);
    if let Some(field) = method.actor {
        if token.agent_id.is_empty() {
            let actor = request::actor(&message, field).ok_or_else(unreadable)?;
            if actor.kind() != v1::actor::Kind::Agent {
                return Err(other("the actor has to be an agent: only services act as anybody else"));
            }
        } else {
            let name = if token.agent_name.is_empty() { &token.agent_id } else { &token.agent_name };
            let (id, display_name) = (token.agent_id.clone(), name.clone());
            let actor = v1::Actor { kind: v1::actor::Kind::Agent.into(), id, display_name };
            message = request::with(&message, field, &actor.encode_to_vec());
        }
    }
    if let Some(field) = method.agent.filter(|_| token.role() == Role::Agent) {
        let named = request::occurrences(&message, field).ok_or_else(unreadable)?;
        if named.iter().any(|named| *named != token.agent_id) {
            return Err(other("an agent's token says where that agent is, and nobody else"));
        }
        message = request::with(&message, field, token.agent_id.as_bytes());
    }
    Ok(message)
}

fn unreadable() -> Status {
    invalid("", "is no single, uncompressed message")
}
