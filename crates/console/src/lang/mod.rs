//! The words of the pages in every language. English stands in the pages and is the key of each other language, which has
//! a table of its own.

mod arabic;
mod german;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::LazyLock;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::session::cookie;

/// English words and those that stand for them.
type Table = &'static [(&'static str, &'static str)];

/// The cookie of a language that somebody chose.
const COOKIE: &str = "lang";
/// How long a choice is kept, in seconds: a year.
const LASTS: u32 = 365 * 24 * 3_600;

/// A language that pages are in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lang {
    #[default]
    English,
    German,
    Arabic,
}

/// The zone of somebody's clock, and the language that they read.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    pub(crate) zone: TimeZone,
    pub(crate) lang: Lang,
}

/// Languages that are written from right to left, by their tags.
const RIGHT_TO_LEFT: [&str; 6] = ["ar", "fa", "he", "ps", "ur", "yi"];

/// The tables of a language, to look words up in.
struct Book {
    words: HashMap<&'static str, &'static str>,
    /// What scripts say, as a page carries it to them.
    scripts: String,
}

impl Book {
    fn of(words: Table, scripts: Table) -> Book {
        let said = scripts.iter().map(|(english, other)| ((*english).to_owned(), (*other).into()));
        let scripts = serde_json::Value::Object(said.collect()).to_string();
        Book { words: words.iter().copied().collect(), scripts }
    }
}

static GERMAN: LazyLock<Book> = LazyLock::new(|| Book::of(german::WORDS, german::SCRIPTS));
static ARABIC: LazyLock<Book> = LazyLock::new(|| Book::of(arabic::WORDS, arabic::SCRIPTS));

/// Words that a table holds and a page shows by [`Lang::t`].
pub(crate) const fn word(english: &'static str) -> &'static str {
    english
}

impl Lang {
    /// Every language.
    pub(crate) const ALL: [Lang; 3] = [Lang::English, Lang::German, Lang::Arabic];

    /// The language that whoever asks for a page chose, else the first of their browser's that there is a table of.
    pub(crate) fn asked(headers: &HeaderMap) -> Lang {
        Lang::chosen(headers).unwrap_or_else(|| {
            let spoken = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
            Lang::of(spoken.unwrap_or_default())
        })
    }

    /// The language that they chose, if they did.
    pub(crate) fn chosen(headers: &HeaderMap) -> Option<Lang> {
        cookie(headers, COOKIE).and_then(Lang::tagged)
    }

    /// The header that keeps a choice; without one it is the browser's again.
    pub(crate) fn keep(chosen: Option<Lang>) -> String {
        let (tag, lasts) = chosen.map_or(("", 0), |lang| (lang.tag(), LASTS));
        format!("{COOKIE}={tag}; Path=/; HttpOnly; SameSite=Strict; Max-Age={lasts}")
    }

    /// The first language of an `Accept-Language` that there is a table of; English where there is none.
    fn of(accepted: &str) -> Lang {
        let mut wanted: Vec<(f32, &str)> = Vec::new();
        for each in accepted.split(',') {
            let (tag, weight) = each.split_once(";q=").unwrap_or((each, "1"));
            wanted.push((weight.trim().parse().unwrap_or(0.0), tag.trim()));
        }
        wanted.sort_by(|one, two| two.0.total_cmp(&one.0));
        wanted.iter().find_map(|(_, tag)| Lang::tagged(tag.split('-').next()?)).unwrap_or_default()
    }

    /// The language of a tag.
    pub(crate) fn tagged(tag: &str) -> Option<Lang> {
        Lang::ALL.into_iter().find(|lang| lang.tag().eq_ignore_ascii_case(tag))
    }

    /// Its tag (BCP 47).
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Lang::English => "en",
            Lang::German => "de",
            Lang::Arabic => "ar",
        }
    }

    /// What it calls itself.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Lang::English => "English",
            Lang::German => "Deutsch",
            Lang::Arabic => "العربية",
        }
    }

    /// Where its lines begin, as the attribute `dir` has it.
    pub(crate) fn dir(self) -> &'static str {
        if RIGHT_TO_LEFT.contains(&self.tag()) { "rtl" } else { "ltr" }
    }

    fn book(self) -> Option<&'static Book> {
        match self {
            Lang::English => None,
            Lang::German => Some(&GERMAN),
            Lang::Arabic => Some(&ARABIC),
        }
    }

    /// Words in this language. Those that the table lacks stay English; the tests let none be lacking.
    pub(crate) fn t(self, english: &'static str) -> &'static str {
        self.book().and_then(|book| book.words.get(english)).copied().unwrap_or(english)
    }

    /// The same with values in the places of `{}`, one after the other.
    pub(crate) fn fill(self, english: &'static str, values: &[&str]) -> String {
        let mut parts = self.t(english).split("{}");
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for (part, value) in parts.zip(values) {
            filled += value;
            filled += part;
        }
        filled
    }

    /// What scripts say in this language, as JSON; `None` where they know it.
    pub(crate) fn of_scripts(self) -> Option<&'static str> {
        self.book().map(|book| book.scripts.as_str())
    }

    /// "22 Nov 2026"
    pub(crate) fn date(self, at: &Zoned) -> String {
        format!("{} {}", self.day_of_month(at), at.year())
    }

    /// "22 Nov"
    pub(crate) fn day_of_month(self, at: &Zoned) -> String {
        match self {
            Lang::English => at.strftime("%-d %b").to_string(),
            Lang::German => format!("{}. {}", at.day(), of_month(&german::SHORT_MONTHS, at)),
            Lang::Arabic => format!("{} {}", at.day(), of_month(&arabic::MONTHS, at)),
        }
    }

    /// "Sunday, 22 November 2026"
    pub(crate) fn long_date(self, at: &Zoned) -> String {
        match self {
            Lang::English => at.strftime("%A, %-d %B %Y").to_string(),
            Lang::German => {
                let (day, month) = (of_week(&german::DAYS, at), of_month(&german::MONTHS, at));
                format!("{day}, {}. {month} {}", at.day(), at.year())
            }
            Lang::Arabic => format!("{}، {}", of_week(&arabic::DAYS, at), self.date(at)),
        }
    }
}

fn of_month(names: &[&'static str; 12], at: &Zoned) -> &'static str {
    let month = usize::try_from(at.month()).unwrap_or(1);
    names.get(month.saturating_sub(1)).copied().unwrap_or_default()
}

fn of_week(names: &[&'static str; 7], at: &Zoned) -> &'static str {
    let day = usize::try_from(at.weekday().to_monday_zero_offset()).unwrap_or(0);
    names.get(day).copied().unwrap_or_default()
}

impl<S: Sync> FromRequestParts<S> for Lang {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Lang, Infallible> {
        Ok(Lang::asked(&parts.headers))
    }
}

#[cfg(test)]
mod tests;
