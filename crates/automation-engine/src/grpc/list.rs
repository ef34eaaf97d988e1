//! The rules in force, by name.

use bus::BucketName;
use proto::v1;
use service::page_token::PageTokens;
use service::status::{self, Mistakes};
use tonic::Status;

use super::{Automations, check, done, etag};
use crate::engine::body_key;

impl Automations {
    pub(super) async fn list(&self, request: v1::ListRulesRequest) -> Result<v1::ListRulesResponse, Status> {
        let mut mistakes = Mistakes::default();
        let size = check::page_size(&mut mistakes, request.page_size);
        let asked = v1::ListRulesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let tokens = PageTokens::new("ListRules", &asked);
        let after = tokens.position(&request.page_token);
        mistakes.unless(after.is_ok(), "page_token", "is not a token of this query");
        done(mistakes)?;
        let after = after.ok().flatten().and_then(|name| String::from_utf8(name).ok()).unwrap_or_default();
        let bucket = self.0.bus.bucket(BucketName::Rules);
        let sets = bucket.get::<v1::RuleSets>(&request.workspace).await.map_err(|error| status::bus(&error))?;
        let number = sets.value.as_ref().and_then(|sets| sets.sets.last()).map_or(0, |set| set.number);
        let body = bucket.get::<v1::RuleSet>(&body_key(&request.workspace, number)).await;
        let mut rules = body.map_err(|error| status::bus(&error))?.value.unwrap_or_default().rules;
        rules.sort_by(|a, b| a.name.cmp(&b.name));
        rules.retain(|rule| rule.name > after);
        let more = rules.len() > size;
        rules.truncate(size);
        let last = rules.last().filter(|_| more).map(|rule| tokens.token(rule.name.as_bytes()));
        let next_page_token = last.unwrap_or_default();
        Ok(v1::ListRulesResponse { rules, next_page_token, etag: etag(sets.etag) })
    }
}
