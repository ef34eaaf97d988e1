use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Interval, MissedTickBehavior};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::HeaderMap;

use super::Caller;
use super::book::TokenBook;

/// How often a long answer asks whether its token still holds: it ends so long after the token did, at most.
const LOOK: Duration = Duration::from_secs(5);

/// The body of a long answer, which ends when the token does that it was asked with.
pub(super) struct Checked {
    body: Body,
    book: TokenBook,
    caller: Caller,
    look: Interval,
    ended: bool,
}

impl Checked {
    pub(super) fn new(body: Body, book: TokenBook, caller: Caller) -> Checked {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Checked { body, book, caller, look, ended: false }
    }
}

impl HttpBody for Checked {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        while this.look.poll_tick(cx).is_ready() {
            if let Err(status) = this.book.recheck(&this.caller) {
                this.ended = true;
                let mut trailers = HeaderMap::new();
                return Poll::Ready(Some(status.add_header(&mut trailers).map(|()| Frame::trailers(trailers))));
            }
        }
        Pin::new(&mut this.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
