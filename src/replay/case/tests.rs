//! A case is believed as it was written, or not at all.

use super::*;
use crate::replay::Reason;
use crate::replay::recorder::tests::{catalogue, draft, options, start};

/// The file of two selections of one trace.
async fn file() -> String {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let (recorder, ..) = start(options.clone());
    let catalogue = catalogue(2);
    for _ in 0..2 {
        recorder.offer(draft(7, Reason::Error, &catalogue));
    }
    recorder.flush().await;
    let ring = Ring::open_to_read(&options.ring.path).await.unwrap();
    let (out, mut pieces) = mpsc::channel(10);
    export(&ring, &format!("{:032x}", 7), &out).await.unwrap();
    String::from_utf8(pieces.recv().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_file_holds_what_it_needs_once() {
    let text = file().await;
    let count = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
    let counts = ["{\"weights\"", "{\"catalogue\"", "{\"tool\"", "{\"vector\"", "{\"record\""].map(count);
    assert_eq!(counts, [1, 1, 2, 6, 2]);
    let case = Case::read(text.as_bytes()).unwrap();
    assert_eq!(case.selections.len(), 2);
    assert_eq!(case.selections[0].catalogue.as_ref().unwrap().stored.records.len(), 2);
}

#[tokio::test]
async fn a_file_that_was_cut_or_changed_anywhere_is_no_case() {
    let whole = file().await.into_bytes();
    // Every seventh: all of them would take a minute.
    for at in (0..whole.len()).step_by(7) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        assert!(Case::read(&changed[..]).is_err(), "byte {at}");
        assert!(Case::read(&whole[..at]).is_err(), "cut after {at} bytes");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_line() {
    let text = file().await;
    let check = |text: String, words: &str| {
        let error = Case::read(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    check(String::new(), "the last line is missing: the file was cut off after line 0");
    check("{}\n".into(), "line 1: is none of a replay case");
    check(text.replacen("\"format\":1", "\"format\":9", 1), "line 1: has format 9, this build knows 1");
    check(text.lines().skip(1).map(|line| format!("{line}\n")).collect(), "line 1: a replay case begins with its one");
    check(text.replacen("{\"catalogue\"", "{\"catalog\"", 1), "line 3: is none of a replay case");
    check(text.replacen("INTERNAL", "INTERNAX", 1), "its lines do not hash to what its last line says");
    let without = |start: &str| text.lines().filter(|line| !line.starts_with(start)).map(|line| format!("{line}\n")).collect();
    check(without("{\"weights\""), "names weights that do not stand before it");
    check(without("{\"catalogue\""), "line 3: stands before any catalogue");
}
