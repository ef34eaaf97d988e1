//! The words of the pages in every language. English stands in the pages and is the key of each other language, which has
//! a table of its own.

mod german;

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::Zoned;
use jiff::tz::TimeZone;

/// English words and those that stand for them.
type Table = &'static [(&'static str, &'static str)];

/// A language that pages are in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lang {
    #[default]
    English,
    German,
}

/// The zone of somebody's clock, and the language that they read.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    pub(crate) zone: TimeZone,
    pub(crate) lang: Lang,
}

/// Languages that are written from right to left, by their tags.
const RIGHT_TO_LEFT: [&str; 6] = ["ar", "fa", "he", "ps", "ur", "yi"];

static GERMAN: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| german::WORDS.iter().copied().collect());
/// What scripts say, as a page carries it to them.
static GERMAN_SCRIPTS: LazyLock<String> = LazyLock::new(|| {
    let said = german::SCRIPTS.iter().map(|(english, german)| ((*english).to_owned(), (*german).into()));
    serde_json::Value::Object(said.collect()).to_string()
});

/// Words that a table holds and a page shows by [`Lang::t`].
pub(crate) const fn word(english: &'static str) -> &'static str {
    english
}

impl Lang {
    /// The first language of an `Accept-Language` that there is a table of; English where there is none.
    pub(crate) fn of(accepted: &str) -> Lang {
        let mut wanted: Vec<(f32, &str)> = Vec::new();
        for each in accepted.split(',') {
            let (tag, weight) = each.split_once(";q=").unwrap_or((each, "1"));
            wanted.push((weight.trim().parse().unwrap_or(0.0), tag.trim()));
        }
        wanted.sort_by(|one, two| two.0.total_cmp(&one.0));
        let known = wanted.iter().find_map(|(_, tag)| match tag.split('-').next()?.to_ascii_lowercase().as_str() {
            "en" => Some(Lang::English),
            "de" => Some(Lang::German),
            _ => None,
        });
        known.unwrap_or_default()
    }

    /// Its tag (BCP 47).
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Lang::English => "en",
            Lang::German => "de",
        }
    }

    /// Where its lines begin, as the attribute `dir` has it.
    pub(crate) fn dir(self) -> &'static str {
        if RIGHT_TO_LEFT.contains(&self.tag()) { "rtl" } else { "ltr" }
    }

    /// Words in this language. Those that the table lacks stay English; the tests let none be lacking.
    pub(crate) fn t(self, english: &'static str) -> &'static str {
        match self {
            Lang::English => english,
            Lang::German => GERMAN.get(english).copied().unwrap_or(english),
        }
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
        match self {
            Lang::English => None,
            Lang::German => Some(GERMAN_SCRIPTS.as_str()),
        }
    }

    /// "22 Nov 2026"
    pub(crate) fn date(self, at: &Zoned) -> String {
        format!("{} {}", self.day_of_month(at), at.year())
    }

    /// "22 Nov"
    pub(crate) fn day_of_month(self, at: &Zoned) -> String {
        match self {
            Lang::English => at.strftime("%-d %b").to_string(),
            Lang::German => format!("{}. {}", at.day(), self.of_month(&german::SHORT_MONTHS, at)),
        }
    }

    /// "Sunday, 22 November 2026"
    pub(crate) fn long_date(self, at: &Zoned) -> String {
        match self {
            Lang::English => at.strftime("%A, %-d %B %Y").to_string(),
            Lang::German => {
                let day = usize::try_from(at.weekday().to_monday_zero_offset()).unwrap_or(0);
                let day = german::DAYS.get(day).copied().unwrap_or_default();
                format!("{day}, {}. {} {}", at.day(), self.of_month(&german::MONTHS, at), at.year())
            }
        }
    }

    fn of_month(self, names: &[&'static str; 12], at: &Zoned) -> &'static str {
        let month = usize::try_from(at.month()).unwrap_or(1);
        names.get(month.saturating_sub(1)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
