use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// Every language but English.
const TABLES: [(Lang, Table, Table); 2] =
    [(Lang::German, german::WORDS, german::SCRIPTS), (Lang::Arabic, arabic::WORDS, arabic::SCRIPTS)];

#[test]
fn each_language_has_all_words_and_no_others() {
    let pages: BTreeSet<String> =
        sources().iter().flat_map(|(_, text)| keys(text, &["t(", "fill(", "word("], '"')).collect();
    let scripts: BTreeSet<String> = keys(include_str!("../assets/console.js"), &["t("], '\'').into_iter().collect();
    assert!(pages.len() > 200 && scripts.len() > 10, "{} and {}", pages.len(), scripts.len());
    for (lang, words, said) in TABLES {
        for (needed, table) in [(&pages, words), (&scripts, said)] {
            let has: BTreeSet<String> = table.iter().map(|(english, _)| (*english).to_owned()).collect();
            assert_eq!(has.len(), table.len(), "{lang:?} has a word twice");
            let lacks: Vec<_> = needed.difference(&has).collect();
            let left: Vec<_> = has.difference(needed).collect();
            assert!(lacks.is_empty() && left.is_empty(), "{lang:?} lacks {lacks:?}; nobody asks for {left:?}");
        }
        for (english, other) in words.iter().chain(said) {
            let places = |text: &str| text.matches("{}").count();
            assert!(!other.is_empty() && places(english) == places(other), "{english:?}: {other:?}");
        }
    }
}

/// The same in each language: names, and what is typed as it stands.
const NAMES: [&str; 7] = [
    "Threadmark",
    "CSV",
    "JSON Lines",
    "threadmark --workspace ",
    " knowledge import faq.csv",
    "threadmark admin token create",
    "threadmark up",
];

#[test]
fn no_page_has_words_of_its_own() {
    let mut found = Vec::new();
    for (path, text) in sources() {
        for line in text.lines().take_while(|line| !line.contains("#[cfg(test)]")) {
            let shown = line.split_once("//").map_or(line, |(code, _)| code);
            found.extend(literals(shown).into_iter().map(|words| format!("{}: {words:?}", path.display())));
        }
    }
    assert!(found.is_empty(), "say them by `t`: {found:#?}");
}

/// Texts of elements, and the attributes that people read, that stand in a line as they are.
fn literals(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices('"') {
        // Where a text or an attribute begins: behind a brace, a parenthesis of a value, or the attribute's name.
        let before = line[..at].trim_end();
        let attribute =
            ["title=", "aria-label=", "placeholder=", "label=", "alt="].iter().any(|name| before.ends_with(name));
        let text = before.ends_with(" {") && is_element(before.trim_end_matches('{').trim_end());
        if !(attribute || text) {
            continue;
        }
        let words = line[at + 1..].split('"').next().unwrap_or_default();
        if words.chars().filter(|letter| letter.is_alphabetic()).count() > 1 && !NAMES.contains(&words) {
            found.push(words);
        }
    }
    found
}

/// Whether a brace behind this begins what an element holds, and not a branch or a block of Rust.
fn is_element(before: &str) -> bool {
    let last = before.rsplit([' ', '(']).next().unwrap_or_default();
    let name = last.split(['.', '#', '=']).next().unwrap_or_default();
    ["a", "b", "button", "dd", "dt", "h1", "h2", "label", "li", "option", "p", "span", "summary", "td", "th"]
        .contains(&name)
}

#[test]
fn a_page_that_says_words_of_its_own_is_found() {
    assert_eq!(literals("h2 { \"Who has it\" }"), ["Who has it"]);
    assert_eq!(literals("nav aria-label=\"Views\" {"), ["Views"]);
    assert_eq!(literals("h2 { (who.t(\"Tags\")) } span { \"·\" }"), [""; 0]);
}

#[test]
fn the_language_is_the_first_that_is_known() {
    let cases = [
        ("", Lang::English),
        ("de", Lang::German),
        ("de-AT,de;q=0.9,en;q=0.8", Lang::German),
        ("en-GB,de;q=0.5", Lang::English),
        ("fr,de;q=0.7,en;q=0.9", Lang::English),
        ("fr-FR;q=1, *", Lang::English),
        (";q=,q=;,,", Lang::English),
        ("ar-EG,ar;q=0.9,en;q=0.5", Lang::Arabic),
    ];
    for (accepted, lang) in cases {
        assert_eq!(Lang::of(accepted), lang, "{accepted}");
    }
}

#[test]
fn what_somebody_chose_counts_more_than_what_the_browser_says() {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT_LANGUAGE, "de".parse().unwrap());
    assert_eq!(Lang::asked(&headers), Lang::German);
    let kept = Lang::keep(Some(Lang::Arabic));
    headers.insert(header::COOKIE, kept.split(';').next().unwrap().parse().unwrap());
    assert_eq!(Lang::asked(&headers), Lang::Arabic);
    headers.insert(header::COOKIE, "lang=klingon".parse().unwrap());
    assert_eq!(Lang::asked(&headers), Lang::German);
    assert!(Lang::keep(None).contains("Max-Age=0"));
}

#[test]
fn dates_and_values_stand_where_the_language_has_them() {
    let at: Zoned = "2026-03-22T10:02[Europe/Berlin]".parse().unwrap();
    assert_eq!(Lang::German.long_date(&at), "Sonntag, 22. März 2026");
    assert_eq!((Lang::German.date(&at), Lang::English.date(&at)), ("22. März 2026".into(), "22 Mar 2026".into()));
    assert_eq!(Lang::German.fill("Closed by {} after {}", &["Ana", "2 h"]), "Geschlossen von Ana nach 2 h");
    assert_eq!(Lang::English.fill("{} of {}", &["{}", "b"]), "{} of b");
    assert_eq!(Lang::Arabic.long_date(&at), "الأحد، 22 مارس 2026");
    assert_eq!((Lang::Arabic.dir(), Lang::English.dir()), ("rtl", "ltr"));
    assert!(RIGHT_TO_LEFT.iter().all(|tag| *tag != Lang::German.tag()) && Lang::German.dir() == "ltr");
}

/// The files that pages are drawn in.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "lang" {
                folders.push(path);
            } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

/// The literals that these calls begin with.
fn keys(text: &str, calls: &[&str], quote: char) -> Vec<String> {
    let mut found = Vec::new();
    for call in calls {
        for (at, _) in text.match_indices(call) {
            // Not the end of a longer name.
            let longer = text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
            let Some(rest) = text[at + call.len()..].trim_start().strip_prefix(quote) else { continue };
            if !longer && let Some((words, _)) = rest.split_once(quote) {
                found.push(words.to_owned());
            }
        }
    }
    found
}
