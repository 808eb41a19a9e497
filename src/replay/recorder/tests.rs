//! What is kept, what is dropped, and that both are counted.

use std::collections::HashMap;
use std::path::Path;

use super::*;
use crate::catalog::TextHash;
use crate::catalog::views::ViewTexts;
use crate::embed::Loaded;
use crate::embed::hashing::HashingEmbedder;
use crate::eval;
use crate::index::vector::Codes;
use crate::replay::{self, Case, export};
use crate::select::Policy;
use crate::tool::{Document, Tool, ToolId};

fn loaded() -> Loaded {
    HashingEmbedder::load(1)
}

/// Tools with their vectors, as registered.
pub(in crate::replay) fn catalogue(tools: usize) -> Arc<TenantCatalog> {
    let tool =
        |i: usize| Tool::new(ToolId::new("files", &format!("read_{i}")).unwrap(), format!("Reads shelf {i}."), Document::empty());
    let tools: Vec<Tool> = (0..tools).map(tool).collect();
    let mut loaded = loaded();
    let mut codes: HashMap<TextHash, Codes> = HashMap::new();
    for text in tools.iter().flat_map(|tool| ViewTexts::of(tool).base) {
        codes.insert(TextHash::of(&text), Codes::quantise(&loaded.background.embed(&text).unwrap()));
    }
    Arc::new(eval::catalogue(tools, |hash| codes.get(hash).cloned(), loaded.info.dimension))
}

pub(in crate::replay) fn options(folder: &Path) -> RecorderOptions {
    let ring = RingOptions {
        path: folder.join("replay.db"),
        max_records: 1_000,
        max_bytes: 16 << 20,
        history: Duration::from_secs(3_600),
    };
    RecorderOptions { ring, slow: Duration::from_millis(250), redact: Redact::None }
}

pub(in crate::replay) fn start(options: RecorderOptions) -> (Recorder, JoinHandle<()>, CancellationToken) {
    let (made_with, weights) = MadeWith::of(&loaded().info, &Policy::default(), None);
    let stop = CancellationToken::new();
    let (recorder, writing) = Recorder::start(options, made_with, weights, stop.clone());
    (recorder, writing, stop)
}

pub(in crate::replay) fn draft(id: u8, reason: Reason, catalogue: &Arc<TenantCatalog>) -> Draft {
    let tell = |_| {
        let request = RawValue::from_string(r#"{"query":"x"}"#.to_owned()).map_err(|e| e.to_string())?;
        let outcome = Outcome::Error { code: "INTERNAL".to_owned(), message: "it broke".to_owned() };
        Ok(Told { request: Some(request), request_sha256: "00".to_owned(), outcome })
    };
    Draft {
        trace_id: format!("{id:032x}"),
        selection_id: format!("{:032x}", u32::from(id) + 1_000),
        at_ms: u64::from(id),
        took: Duration::from_millis(3),
        reason,
        catalogue: Arc::clone(catalogue),
        tokenizer: None,
        trace: Trace::default(),
        bytes: 100,
        tell: Box::new(tell),
    }
}

fn counts(recorder: &Recorder) -> [u64; 3] {
    let Counters { written, dropped, failed, .. } = &**recorder.counters();
    [written, dropped, failed].map(|counter| counter.load(Ordering::Relaxed))
}

async fn case(options: &RecorderOptions, id: u8) -> Result<Case, replay::CaseError> {
    let ring = Ring::open_to_read(&options.ring.path).await?;
    let (out, mut pieces) = mpsc::channel(100);
    export(&ring, &format!("{id:032x}"), &out).await?;
    drop(out);
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.recv().await {
        bytes.extend(piece);
    }
    Ok(Case::read(bytes.as_slice())?)
}

#[tokio::test]
async fn what_there_is_no_room_for_is_dropped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (recorder, ..) = start(options(folder.path()));
    let catalogue = catalogue(3);
    // Nothing is written before this test waits for something.
    (0..100).for_each(|i| recorder.offer(draft(i, Reason::Asked, &catalogue)));
    assert_eq!(counts(&recorder), [0, 36, 0]);
    recorder.flush().await;
    assert_eq!(counts(&recorder), [64, 36, 0]);
    for bytes in [MAX_WAITING_BYTES, 1] {
        recorder.offer(Draft { bytes, ..draft(1, Reason::Asked, &catalogue) });
    }
    assert_eq!(counts(&recorder)[1], 37, "of bytes there is an end too");
    recorder.flush().await;
    recorder.offer(draft(2, Reason::Asked, &catalogue));
    recorder.flush().await;
    assert_eq!(counts(&recorder), [66, 37, 0]);
    assert!(0 < recorder.counters().bytes.load(Ordering::Relaxed));
}

#[tokio::test]
async fn what_happens_in_masses_is_kept_at_a_bounded_rate() {
    let folder = tempfile::tempdir().unwrap();
    let (recorder, ..) = start(options(folder.path()));
    let catalogue = catalogue(1);
    (0..55).for_each(|i| recorder.offer(draft(i, Reason::Shed, &catalogue)));
    recorder.offer(draft(99, Reason::Asked, &catalogue));
    recorder.flush().await;
    assert_eq!(counts(&recorder), [51, 5, 0], "what was asked for is not held back");
    let mut pace = Pace { since: Instant::now(), records: MAX_PER_SECOND };
    assert!(!pace.admits(pace.since) && pace.admits(pace.since + Duration::from_secs(1)));
}

#[tokio::test]
async fn a_catalogue_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let (recorder, writing, stop) = start(options.clone());
    let first = catalogue(200);
    let trace = Trace { proposed: Some([5, 150].into()), ..Trace::default() };
    recorder.offer(Draft { trace, ..draft(1, Reason::Error, &first) });
    let gone = ToolId::new("files", "read_5").unwrap();
    let second = Arc::new(first.changed(first.version().next(), &[], &[gone], loaded().info.dimension));
    let trace = Trace { proposed: Some([6, 150].into()), ..Trace::default() };
    recorder.offer(Draft { trace, ..draft(2, Reason::Error, &second) });
    stop.cancel();
    writing.await.unwrap();
    assert_eq!(counts(&recorder), [2, 0, 0], "what waits at the end is written");
    for (id, catalogue, proposed) in [(1, first, vec![5, 150]), (2, second, vec![5, 149])] {
        let case = case(&options, id).await.unwrap();
        let [selection] = case.selections.as_slice() else { panic!("one selection") };
        assert_eq!(selection.record.proposed, Some(proposed), "places by registration");
        let kept = selection.catalogue.as_ref().unwrap();
        let model = loaded().info;
        let again = replay::catalogue(kept, &model.id, model.dimension);
        assert_eq!((again.version(), again.len(), again.without_vectors()), (catalogue.version(), catalogue.len(), 0));
        for entry in catalogue.entries() {
            let other = again.get(&entry.record.tool.id).unwrap();
            assert_eq!((&other.record, other.base_vectors()), (&entry.record, entry.base_vectors()));
        }
    }
    let none = case(&options, 3).await.unwrap_err();
    assert!(matches!(none, replay::CaseError::NotKept { .. }), "{none}");
}

#[tokio::test]
async fn a_catalogue_that_is_too_large_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.ring.max_bytes = 1 << 20;
    let (recorder, ..) = start(options.clone());
    recorder.offer(draft(1, Reason::Error, &catalogue(400)));
    recorder.offer(draft(2, Reason::Error, &catalogue(20)));
    recorder.flush().await;
    assert_eq!(counts(&recorder), [2, 0, 0]);
    let (large, small) = (case(&options, 1).await.unwrap(), case(&options, 2).await.unwrap());
    assert!(large.selections[0].catalogue.is_none() && small.selections[0].catalogue.is_some());
    assert_eq!(large.selections[0].record.catalogue.tools, 400);
}

#[tokio::test]
async fn a_ring_that_cannot_be_had_costs_records_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    std::fs::write(folder.path().join("file"), "").unwrap();
    options.ring.path = folder.path().join("file/replay.db");
    let (recorder, ..) = start(options);
    let catalogue = catalogue(1);
    (0..3).for_each(|i| recorder.offer(draft(i, Reason::Error, &catalogue)));
    recorder.flush().await;
    assert_eq!(counts(&recorder), [0, 0, 3]);
}
