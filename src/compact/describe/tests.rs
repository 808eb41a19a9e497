use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(parameter(text), expected);
}

#[track_caller]
fn check_tool(text: &str, expected: &str) {
    assert_eq!(tool(text, &|name| name == "known"), expected);
}

#[track_caller]
fn parts(text: &str, expected: &[&str]) {
    assert_eq!(sentences(&tidy(text)).into_iter().map(|one| one.text).collect::<Vec<_>>(), expected);
}

#[test]
fn sentences_end_where_a_reader_would_end_them() {
    parts("Reads a file. Use it for text! Why? So.", &["Reads a file.", "Use it for text!", "Why?", "So."]);
    parts(
        "Reads v1.2 of example.org files, e.g. a.txt, i.e. text. Next",
        &["Reads v1.2 of example.org files, e.g. a.txt, i.e. text.", "Next"],
    );
    parts(
        "Costs 3.5 USD vs. 2 EUR etc. and more. See https://a.org/b.html. End",
        &["Costs 3.5 USD vs. 2 EUR etc. and more.", "See https://a.org/b.html.", "End"],
    );
    parts("Calls `a.b. C` (see x. Or y.) now. J. Smith wrote it.", &["Calls `a.b. C` (see x. Or y.) now.", "J. Smith wrote it."]);
    parts("读取文件。返回内容！「好。」完", &["读取文件。", "返回内容！", "「好。」", "完"]);
    parts("파일을 읽습니다. 경로가 필요합니다.", &["파일을 읽습니다.", "경로가 필요합니다."]);
    parts(
        "This command retrieves all the administrators that were configured for\nEntra on it. Next",
        &["This command retrieves all the administrators that were configured for Entra on it.", "Next"],
    );
    parts("Short line\nOther line\n1. One\n2. Two", &["Short line", "Other line", "1. One", "2. Two"]);
    parts("Run:\n```\na. B\nc\n```\nDone", &["Run:", "```\na. B\nc\n```", "Done"]);
}

#[test]
fn parameters_keep_what_fills_them_in() {
    check("The page number. Pages are made by the server.", "The page number.");
    check("Start of it. Format: YYYY-MM-DD. It is used by the index.", "Start of it. Format: YYYY-MM-DD.");
    check("How long. In seconds. Used inside.", "How long. In seconds.");
    check("Which. Do not use with b. Nice to have.", "Which. Do not use with b.");
    check("Sort order. Options: 'a' (first), 'b' (second).", "Sort order. Options: 'a' (first), 'b' (second).");
    check("查询日期。内部使用。格式为 yyyy-MM-dd。", "查询日期。格式为 yyyy-MM-dd。");
    check("Board\nValues: 0 = All. Really; 1 = Music.", "Board\nValues: 0 = All. Really; 1 = Music.");
    check("", "");
}

#[test]
fn tools_keep_when_not_to_use_them() {
    check_tool(
        "Searches the mail. It is fast and good. Do not use it for calendars. Returns a list of mails.",
        "Searches the mail. Do not use it for calendars.",
    );
    check_tool(
        "Does what it says.\n\n    Args:\n        known: Told in the schema\n        other: Told here\n            alone\n\n    Returns:\n        A list, at most 10 long\n\n    Only for tests.",
        "Does what it says.\nArgs:\n other: Told here alone\n\nOnly for tests.",
    );
    check_tool("# Search\n\nSearches the whole mail.\n\n## How\nBy index.", "# Search\nSearches the whole mail.");
    check_tool("Reads one of these things:\n- mails\n- notes\n\nIt is fast.", "Reads one of these things:\n- mails\n- notes");
    check_tool("Only a first sentence without its stop", "Only a first sentence without its stop");
}

#[test]
fn names_are_told_once() {
    assert!(same_words("repo_name", "The repo name."));
    assert!(!same_words("repo_name", "The repo"));
}

#[test]
fn long_texts_take_time_in_proportion() {
    let started = std::time::Instant::now();
    for text in ["a. B ".repeat(40_000), "(".repeat(200_000), "- x:\n".repeat(40_000), "`a` ".repeat(40_000), "。".repeat(60_000)]
    {
        let _ = (parameter(&text), tool(&text, &|_| false), first_sentence(&text));
    }
    // Quadratic time would be many minutes; the bound only has to be out of a slow machine's reach.
    assert!(started.elapsed() < std::time::Duration::from_secs(60), "took {:?}", started.elapsed());
}

proptest! {
    #[test]
    fn tidy_twice_is_once(text in "[a \\t\\r\\n\u{a0}-]{0,20}") {
        let once = tidy(&text).into_owned();
        prop_assert_eq!(tidy(&once), once.as_str());
    }

    #[test]
    fn nothing_is_made_up(text in "([Aa]b|[.:`(){}\\n -]|must|。|\\PC| Args:\\n|e\\.g\\. ){0,30}") {
        for short in [parameter(&text), tool(&text, &|_| false), first_sentence(&text)] {
            let mut whole = text.chars();
            prop_assert!(short.chars().filter(|c| !c.is_whitespace()).all(|c| whole.any(|other| other == c)), "{short:?}");
        }
    }

    #[test]
    fn shortening_twice_is_shortening_once(text in "([Aa]b|[.:`(){}\\n -]|must|。|\\PC| Args:\\n|e\\.g\\. |1\\. |- |Returns:\\n|# ){0,30}") {
        let once = parameter(&text);
        prop_assert_eq!(parameter(&once), once.as_str(), "{:?}", text);
    }
}
