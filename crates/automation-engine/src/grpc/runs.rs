//! What rules did, newest first.

use bus::{RunFilter, RunRecord};
use proto::v1;
use service::page_token::PageTokens;
use service::status::{self, Mistakes};
use tonic::Status;

use super::{Automations, check, done, shown};

/// Where a page begins: in this record of RUNS, after so many of its runs.
struct Place {
    record: u64,
    skip: usize,
}

impl Automations {
    pub(super) async fn runs(&self, request: v1::ListRunsRequest) -> Result<v1::ListRunsResponse, Status> {
        let mut mistakes = Mistakes::default();
        let size = check::page_size(&mut mistakes, request.page_size);
        let fields = [("rule", &request.rule), ("event_id", &request.event_id)];
        fields.into_iter().for_each(|(field, id)| check::id(&mut mistakes, field, id));
        check::id(&mut mistakes, "conversation_id", &request.conversation_id);
        mistakes.unless(request.event_revision >= 0, "event_revision", "is negative");
        let start = check::time(&mut mistakes, "start_time", request.start_time.as_ref());
        let end = check::time(&mut mistakes, "end_time", request.end_time.as_ref());
        let asked = v1::ListRunsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let tokens = PageTokens::new("ListRuns", &asked);
        let place = tokens.position(&request.page_token);
        mistakes.unless(place.is_ok(), "page_token", "is not a token of this query");
        done(mistakes)?;
        let place = place.ok().flatten().and_then(|bytes| Place::read(&bytes));
        let Some(event_id) = self.event_id(&request).await? else { return Ok(v1::ListRunsResponse::default()) };
        let filter = RunFilter {
            workspace: request.workspace.clone(),
            rule: request.rule.clone(),
            event_id,
            conversation: request.conversation_id.clone(),
            start,
            end,
            not_matched: request.include_not_matched,
        };
        let (runs, next) = self.page(&filter, place, size).await?;
        let next_page_token = next.map(|place| tokens.token(&place.bytes())).unwrap_or_default();
        Ok(v1::ListRunsResponse { runs, next_page_token })
    }

    /// The id of the event that is asked for; empty for any, `None` for one that can't be.
    async fn event_id(&self, request: &v1::ListRunsRequest) -> Result<Option<String>, Status> {
        let Some(revision) = u64::try_from(request.event_revision).ok().filter(|revision| *revision > 0) else {
            return Ok(Some(request.event_id.clone()));
        };
        let event = self.0.bus.event_at(revision).await.map_err(|error| status::bus(&error))?;
        let event = event.filter(|event| event.workspace == request.workspace);
        Ok(event.map(|event| event.id).filter(|id| request.event_id.is_empty() || *id == request.event_id))
    }

    async fn page(
        &self,
        filter: &RunFilter,
        place: Option<Place>,
        size: usize,
    ) -> Result<(Vec<v1::Run>, Option<Place>), Status> {
        let before = place.as_ref().map(|place| place.record.saturating_add(1));
        let found = self.0.bus.runs(filter, before, size).await.map_err(|error| status::bus(&error))?;
        let mut runs = Vec::new();
        for (record, found_record) in found.records {
            let skip = place.as_ref().filter(|place| place.record == record).map_or(0, |place| place.skip);
            let of_record = self.shown(filter, found_record);
            for (nth, run) in of_record.into_iter().enumerate().skip(skip) {
                if runs.len() == size {
                    return Ok((runs, Some(Place { record, skip: nth })));
                }
                runs.push(run);
            }
        }
        let next = found.next.map(|before| Place { record: before.saturating_sub(1), skip: 0 });
        Ok((runs, next))
    }

    fn shown(&self, filter: &RunFilter, record: RunRecord) -> Vec<v1::Run> {
        match record {
            RunRecord::Run(run) => vec![shown::run(*run)],
            RunRecord::NotMatched(record) => {
                let set = self.0.book.numbered(&filter.workspace, record.rule_set);
                let mut runs = shown::not_matched(&record, set.as_deref());
                runs.retain(|run| filter.rule.is_empty() || run.rule == filter.rule);
                runs
            }
        }
    }
}

impl Place {
    fn bytes(&self) -> Vec<u8> {
        let skip = u64::try_from(self.skip).unwrap_or(0);
        [self.record.to_be_bytes(), skip.to_be_bytes()].concat()
    }

    fn read(bytes: &[u8]) -> Option<Place> {
        let (record, skip) = bytes.split_at_checked(8)?;
        let number = |bytes: &[u8]| Some(u64::from_be_bytes(bytes.try_into().ok()?));
        Some(Place { record: number(record)?, skip: usize::try_from(number(skip)?).ok()? })
    }
}
