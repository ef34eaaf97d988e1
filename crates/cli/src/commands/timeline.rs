use clap::Args;
use proto::v1;

use crate::client::timely;
use crate::draw::{Chat, Look};
use crate::failure::Failure;
use crate::find::{self, Care};
use crate::session::Session;

/// The largest page that the server gives.
const PAGE: u32 = 1_000;

const EXAMPLES: &str = "\
Examples:
  threadmark timeline Maya                   # the last 50 entries
  threadmark timeline 12125550100 --all
  threadmark timeline Maya --from yesterday
The customer stands at the left, the business at the right. Tickets are brackets at the very left, nested ones inside
their primary's. ✓ sent, ✓✓ delivered. A late message shows when it was said and when it was recorded.";

/// Draws a chat with its stamps, and its tickets as brackets.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Timeline {
    /// Its id, or its contact's name or number
    conversation: String,
    /// The whole chat
    #[arg(long, conflicts_with_all = ["last", "from"])]
    all: bool,
    /// So many of the newest entries
    #[arg(long, value_name = "N", default_value_t = 50, conflicts_with = "from")]
    last: u32,
    /// Everything since then
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Wait until the view has come to this revision
    #[arg(long, value_name = "REVISION", default_value_t = 0, hide_default_value = true)]
    min_revision: i64,
}

impl Timeline {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let id = find::conversation(session, &self.conversation, Care::Looking).await?;
        let (entries, more) = self.entries(session, &id).await?;
        if session.out.is_json() {
            return entries.iter().try_for_each(|entry| session.out.message("TimelineEntry", entry));
        }
        if entries.is_empty() {
            session.out.remark("no entries");
        }
        if more {
            session.out.remark("earlier entries are not shown: --all shows every one");
        }
        let mut chat = Chat::new(look(session), &entries);
        for entry in &entries {
            chat.entry(entry).iter().try_for_each(|line| session.out.line(line))?;
        }
        chat.end().iter().try_for_each(|line| session.out.line(line))
    }

    /// The entries to draw, oldest first, and whether there are earlier ones.
    async fn entries(&self, session: &Session, id: &str) -> Result<(Vec<v1::TimelineEntry>, bool), Failure> {
        let base = v1::ListTimelineRequest {
            workspace: session.workspace.clone(),
            conversation_id: id.to_owned(),
            min_revision: self.min_revision,
            ..v1::ListTimelineRequest::default()
        };
        match (&self.from, self.all) {
            (None, false) => last(session, base, self.last).await,
            (from, _) => {
                let from_time = session.instant(from.as_deref())?;
                let direction = v1::list_timeline_request::Direction::Newer.into();
                let request = v1::ListTimelineRequest { from_time, direction, ..base };
                Ok((pages(session, request, u32::MAX).await?.0, false))
            }
        }
    }
}

/// How the chat is drawn here.
pub(super) fn look(session: &Session) -> Look {
    Look { width: session.out.width(), zone: session.zone.clone() }
}

/// The newest entries, oldest first, and whether there are earlier ones.
pub(super) async fn last(
    session: &Session,
    request: v1::ListTimelineRequest,
    count: u32,
) -> Result<(Vec<v1::TimelineEntry>, bool), Failure> {
    let (mut entries, more) = pages(session, request, count).await?;
    entries.reverse();
    Ok((entries, more))
}

/// Page after page, up to `most` entries, and whether there are more.
async fn pages(
    session: &Session,
    mut request: v1::ListTimelineRequest,
    most: u32,
) -> Result<(Vec<v1::TimelineEntry>, bool), Failure> {
    let mut entries: Vec<v1::TimelineEntry> = Vec::new();
    loop {
        let missing = most.saturating_sub(u32::try_from(entries.len()).unwrap_or(u32::MAX)).min(PAGE);
        if missing == 0 {
            return Ok((entries, true));
        }
        request.page_size = i32::try_from(missing).unwrap_or(1);
        let answer = session.client.tickets().list_timeline(timely(request.clone())).await;
        let page = answer.map_err(|status| session.failure(status))?.into_inner();
        entries.extend(page.entries);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok((entries, false));
        }
    }
}
