//! Putting documents in force, and taking them out.

use std::time::Duration;

use bus::{Error, Slot, now};
use conversation::Time;
use proto::v1;
use proto::v1::knowledge_document::Format;
use service::page_token::PageTokens;
use service::status::{self, Mistakes, refused};
use sha2::{Digest, Sha256};
use tonic::{Code, Status};

use super::Answers;
use crate::knowledge::{Contents, MAX_PASSAGES, new_id, parse};

/// Documents of a workspace at most.
pub(super) const MAX_DOCUMENTS: usize = 1_000;
/// Longest name, in bytes.
const MAX_NAME: usize = 256;
/// How long an import may write: well below the age at which parts that no list names are swept.
const IMPORT: Duration = Duration::from_secs(5 * 60);
/// Tries while others import into the same workspace.
const TRIES: usize = 16;

impl Answers {
    pub(super) async fn import(
        &self,
        request: v1::ImportKnowledgeRequest,
    ) -> Result<v1::ImportKnowledgeResponse, Status> {
        let mut mistakes = Mistakes::default();
        check_name(&mut mistakes, &request.name);
        mistakes.unless(request.format() != Format::Unspecified, "format", "has to be MARKDOWN, TEXT, CSV or JSONL");
        mistakes.done()?;
        let document = self.read(&request).await?;
        let digest: Vec<u8> = Sha256::digest(&request.data).to_vec();
        let id = new_id(now());
        let done = tokio::time::timeout(IMPORT, self.put_in_force(&request, &document, &digest, &id)).await;
        if !request.validate_only {
            // Parts that no list came to name: of this import, or of one that broke off.
            self.store.sweep(&request.workspace, done.is_ok().then_some(id.as_str())).await;
        }
        done.unwrap_or_else(|_| Err(busy()))
    }

    /// Writes the contents and the list that names them.
    async fn put_in_force(
        &self,
        request: &v1::ImportKnowledgeRequest,
        document: &v1::KnowledgeDocument,
        digest: &[u8],
        id: &str,
    ) -> Result<v1::ImportKnowledgeResponse, Status> {
        let workspace = &request.workspace;
        let mut written = None;
        for _ in 0..TRIES {
            let current = self.list(workspace).await?;
            is_current(&current, &request.etag)?;
            let mut list = current.value.unwrap_or_default();
            let before = list.documents.iter().position(|stored| name_of(stored) == request.name);
            let before = before.map(|place| list.documents.remove(place));
            if let Some(same) = before.as_ref().filter(|before| is_same(before, document, digest)) {
                return Ok(v1::ImportKnowledgeResponse { document: same.document.clone(), etag: etag(current.etag) });
            }
            let mut document = document.clone();
            let deleted = list.deleted.remove(&request.name).unwrap_or(0);
            let version = before.as_ref().and_then(|before| before.document.as_ref()).map_or(deleted, |it| it.version);
            document.version = version + 1;
            document.import_time = Some(proto::timestamp(import_time(before.as_ref())));
            within_bounds(&list, &document)?;
            if request.validate_only {
                return Ok(v1::ImportKnowledgeResponse { document: Some(document), etag: etag(current.etag) });
            }
            let part_count = match written {
                Some(count) => count,
                None => {
                    let parts = self.store.write(workspace, id, &request.data).await;
                    *written.insert(parts.map_err(|error| status::bus(&error))?)
                }
            };
            let (id, digest) = (id.to_owned(), digest.to_vec().into());
            list.documents.push(v1::StoredDocument { document: Some(document.clone()), id, part_count, digest });
            list.documents.sort_by(|a, b| name_of(a).cmp(name_of(b)));
            match self.store.put_list(workspace, &list, current.etag).await {
                Ok(written) => {
                    if let Some(before) = &before {
                        self.store.remove(workspace, before).await;
                    }
                    return Ok(v1::ImportKnowledgeResponse { document: Some(document), etag: etag(written) });
                }
                Err(Error::Conflict) => {}
                Err(error) => return Err(status::bus(&error)),
            }
        }
        Err(busy())
    }

    pub(super) async fn delete(
        &self,
        request: v1::DeleteKnowledgeRequest,
    ) -> Result<v1::DeleteKnowledgeResponse, Status> {
        let mut mistakes = Mistakes::default();
        check_name(&mut mistakes, &request.name);
        mistakes.done()?;
        for _ in 0..TRIES {
            let current = self.list(&request.workspace).await?;
            let mut list = current.value.unwrap_or_default();
            let place = list.documents.iter().position(|stored| name_of(stored) == request.name);
            let gone = place.map(|place| list.documents.remove(place));
            let gone = gone.ok_or_else(|| status::not_found("document", &request.name))?;
            let version = gone.document.as_ref().map_or(0, |document| document.version);
            list.deleted.insert(request.name.clone(), version);
            match self.store.put_list(&request.workspace, &list, current.etag).await {
                Ok(written) => {
                    self.store.remove(&request.workspace, &gone).await;
                    return Ok(v1::DeleteKnowledgeResponse { etag: etag(written) });
                }
                Err(Error::Conflict) => {}
                Err(error) => return Err(status::bus(&error)),
            }
        }
        Err(busy())
    }

    pub(super) async fn page(&self, request: v1::ListKnowledgeRequest) -> Result<v1::ListKnowledgeResponse, Status> {
        let mut mistakes = Mistakes::default();
        let size = match request.page_size {
            0 => 50,
            size @ 1..=1_000 => usize::try_from(size).unwrap_or(1_000),
            _ => {
                mistakes.add("page_size", "has to be 1 to 1,000, or 0 for 50");
                0
            }
        };
        let asked = v1::ListKnowledgeRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let tokens = PageTokens::new("ListKnowledge", &asked);
        let after = tokens.position(&request.page_token);
        mistakes.unless(after.is_ok(), "page_token", "is not a token of this query");
        mistakes.done()?;
        let after = after.ok().flatten().and_then(|name| String::from_utf8(name).ok()).unwrap_or_default();
        let list = self.list(&request.workspace).await?;
        let documents = list.value.unwrap_or_default().documents;
        let mut documents: Vec<_> = documents.into_iter().filter_map(|stored| stored.document).collect();
        documents.retain(|document| document.name > after);
        let more = documents.len() > size;
        documents.truncate(size);
        let last = documents.last().filter(|_| more).map(|document| tokens.token(document.name.as_bytes()));
        let next_page_token = last.unwrap_or_default();
        Ok(v1::ListKnowledgeResponse { documents, next_page_token, etag: etag(list.etag) })
    }

    async fn list(&self, workspace: &str) -> Result<Slot<v1::KnowledgeList>, Status> {
        self.store.list(workspace).await.map_err(|error| status::bus(&error))
    }

    /// A document as it would be in force, without version and time.
    async fn read(&self, request: &v1::ImportKnowledgeRequest) -> Result<v1::KnowledgeDocument, Status> {
        let (format, data) = (request.format(), request.data.clone());
        let parsed = tokio::task::spawn_blocking(move || parse(format, &data)).await;
        let parsed = parsed.map_err(|error| {
            tracing::error!(%error, "reading a document broke off");
            refused(Code::Internal, "FAILED", "", "the document can't be read: the service's log says why")
        })?;
        let contents = parsed.map_err(|mistakes| {
            let mut all = Mistakes::default();
            for mistake in mistakes {
                all.add(format!("{}:{}", mistake.line, mistake.column), mistake.reason);
            }
            all.done().err().unwrap_or_else(|| Status::invalid_argument("data"))
        })?;
        Ok(v1::KnowledgeDocument {
            name: request.name.clone(),
            version: 0,
            format: request.format,
            size_bytes: i64::try_from(request.data.len()).unwrap_or(i64::MAX),
            passage_count: count(contents.passage_count()),
            example_count: count(contents.example_count()),
            intent_count: count(intent_count(&contents)),
            import_time: None,
        })
    }
}

fn intent_count(contents: &Contents) -> usize {
    crate::retrieval::class_count(contents)
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

pub(super) fn check_name(mistakes: &mut Mistakes, name: &str) {
    mistakes.unless(!name.trim().is_empty(), "name", "is required");
    let fine = name.len() <= MAX_NAME && !name.contains(char::is_control);
    mistakes.unless(fine, "name", format!("has to be at most {MAX_NAME} bytes, without control characters"));
}

fn name_of(stored: &v1::StoredDocument) -> &str {
    stored.document.as_ref().map_or("", |document| document.name.as_str())
}

fn is_same(stored: &v1::StoredDocument, document: &v1::KnowledgeDocument, digest: &[u8]) -> bool {
    stored.digest == digest && stored.document.as_ref().is_some_and(|it| it.format == document.format)
}

/// Now, and after the version before.
fn import_time(before: Option<&v1::StoredDocument>) -> Time {
    let last = before.and_then(|before| proto::time(before.document.as_ref()?.import_time.as_ref()?));
    last.map_or(now(), |last| now().max(Time(last.0.saturating_add(1))))
}

#[allow(clippy::result_large_err)]
fn within_bounds(others: &v1::KnowledgeList, new: &v1::KnowledgeDocument) -> Result<(), Status> {
    let documents = || others.documents.iter().filter_map(|stored| stored.document.as_ref()).chain([new]);
    if documents().count() > MAX_DOCUMENTS {
        return Err(status::invalid("name", format!("a workspace has at most {MAX_DOCUMENTS} documents: delete one")));
    }
    let items = documents().map(|it| i64::from(it.passage_count) + i64::from(it.example_count)).sum::<i64>();
    if items > MAX_PASSAGES {
        let words = format!("the workspace would know {items} passages and examples: at most {MAX_PASSAGES} are taken");
        return Err(status::invalid("data", words));
    }
    Ok(())
}

#[allow(clippy::result_large_err)]
fn is_current(current: &Slot<v1::KnowledgeList>, expected: &str) -> Result<(), Status> {
    if expected.is_empty() || expected == etag(current.etag) {
        return Ok(());
    }
    let words = "the knowledge has changed since that etag: list it again, then import";
    Err(refused(Code::Aborted, "ETAG_MISMATCH", "", words))
}

fn busy() -> Status {
    refused(Code::Aborted, "CONFLICT", "", "others change what the workspace knows at once: try again")
}

fn etag(etag: u64) -> String {
    etag.to_string()
}
