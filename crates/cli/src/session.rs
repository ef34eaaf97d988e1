use jiff::Timestamp;
use jiff::tz::TimeZone;
use proto::v1;

use crate::client::{Client, timely};
use crate::draw::words;
use crate::failure::Failure;
use crate::output::Output;
use crate::{args, when};

/// What every client command has at hand.
pub(crate) struct Session {
    /// The server.
    pub(crate) client: Client,
    /// Where it prints.
    pub(crate) out: Output,
    /// The business.
    pub(crate) workspace: String,
    /// The zone of what is typed and shown.
    pub(crate) zone: TimeZone,
}

impl Session {
    /// Connects as the command line says.
    ///
    /// # Errors
    /// [`Failure::Usage`], [`Failure::Away`].
    pub(crate) async fn open(globals: &args::Globals, out: Output) -> Result<Session, Failure> {
        let zone = when::zone(globals.time_zone.as_deref()).map_err(Failure::Usage)?;
        let client = Client::connect(&globals.server, globals.access()?).await?;
        Ok(Session { client, out, workspace: globals.workspace.clone(), zone })
    }

    /// The instant that was typed, in the session's zone.
    ///
    /// # Errors
    /// [`Failure::Usage`].
    pub(crate) fn instant(&self, text: Option<&str>) -> Result<Option<prost_types::Timestamp>, Failure> {
        let parsed = text.map(|text| when::parse(text, &self.zone, Timestamp::now())).transpose();
        Ok(parsed.map_err(Failure::Usage)?.map(when::wire))
    }

    /// An instant in a table: of today the clock alone.
    pub(crate) fn recent(&self, time: Option<&prost_types::Timestamp>) -> String {
        let today = Timestamp::now().to_zoned(self.zone.clone()).date();
        match words::zoned(time, &self.zone) {
            Some(at) if at.date() == today => at.strftime("%H:%M").to_string(),
            _ => words::minute(time, &self.zone),
        }
    }

    /// A failed call.
    pub(crate) fn failure(&self, status: tonic::Status) -> Failure {
        self.client.failure(status)
    }

    /// The conversation with this id.
    ///
    /// # Errors
    /// [`Failure::NotFound`] and the other failures of calls.
    pub(crate) async fn conversation(&self, id: &str, min_revision: i64) -> Result<v1::Conversation, Failure> {
        let request = v1::GetConversationRequest {
            workspace: self.workspace.clone(),
            conversation_id: id.to_owned(),
            min_revision,
        };
        let answer = self.client.tickets().get_conversation(timely(request)).await;
        Ok(answer.map_err(|status| self.failure(status))?.into_inner())
    }
}
