//! A ring beside what it should hold.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const MIB: u64 = 1 << 20;

fn options(folder: &tempfile::TempDir) -> RingOptions {
    let (max_records, max_bytes, history) = (1_000, 64 * MIB, Duration::from_secs(10));
    RingOptions { path: folder.path().join("sub/replay.db"), max_records, max_bytes, history }
}

/// A catalogue whose lines are these, two to a block.
fn listing(number: u64, texts: &[String]) -> Listing {
    let blocks = texts.chunks(2).map(|texts| Block::of(texts.iter().map(|text| hash(text)).collect())).collect();
    Listing::of(TenantId::default(), Version { epoch: 1, number }, blocks)
}

async fn put(ring: &Ring, trace: &str, at_ms: u64, body: &str, catalogue: Option<(u64, &[String])>) -> Result<(), StoreError> {
    let listing = catalogue.map(|(number, texts)| (listing(number, texts), texts));
    if let Some((listing, texts)) = &listing {
        for place in ring.missing(listing).await? {
            let texts: Vec<String> = texts.chunks(2).nth(place).unwrap().to_vec();
            ring.put_block(&listing.blocks[place], &texts).await?;
        }
    }
    let catalogue = listing.as_ref().map(|(listing, _)| listing);
    let selection_id = format!("selection of {trace}");
    ring.put(&Kept { trace_id: trace, selection_id: &selection_id, at_ms, body, weights: "{}", catalogue }).await
}

async fn lines(ring: &Ring, catalogue: i64) -> Result<Vec<String>, StoreError> {
    let mut lines = Vec::new();
    for block in ring.blocks(catalogue).await? {
        lines.extend(ring.lines(block).await?);
    }
    Ok(lines)
}

async fn number(ring: &Ring, query: &'static str) -> i64 {
    sqlx::query(query).fetch_one(&ring.pool).await.unwrap().get(0)
}

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("tool {i}")).collect()
}

#[tokio::test]
async fn what_is_kept_is_found_by_trace_and_by_selection() {
    let folder = tempfile::tempdir().unwrap();
    let ring = Ring::open(&options(&folder)).await.unwrap();
    put(&ring, "a", 1, "first", Some((1, &texts(5)))).await.unwrap();
    put(&ring, "a", 2, "second", None).await.unwrap();
    put(&ring, "b", 3, "third", Some((1, &texts(5)))).await.unwrap();
    let found = ring.find("a").await.unwrap();
    let bodies: Vec<&str> = found.iter().map(|found| found.body.as_str()).collect();
    assert_eq!((bodies, found[0].weights.as_str(), found[1].catalogue), (vec!["first", "second"], "{}", None));
    assert_eq!(lines(&ring, found[0].catalogue.unwrap()).await.unwrap(), texts(5));
    assert_eq!(ring.find("selection of b").await.unwrap()[0].body, "third");
    assert!(ring.find("c").await.unwrap().is_empty());
    let mode = std::fs::metadata(&ring.options.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "records quote what users asked");
    // Beside the router that writes it.
    let beside = Ring::open_to_read(&ring.options.path).await.unwrap();
    assert_eq!(beside.find("b").await.unwrap().len(), 1);
    assert!(Ring::open_to_read(&folder.path().join("none")).await.unwrap_err().to_string().contains("there is no replay ring"));
    ring.close().await;
    assert_eq!(Ring::open(&options(&folder)).await.unwrap().records().await.unwrap(), 3, "after a restart");
}

#[tokio::test]
async fn a_catalogue_in_which_one_tool_changed_costs_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let ring = Ring::open(&options(&folder)).await.unwrap();
    let mut texts = texts(1_000);
    put(&ring, "a", 1, "x", Some((1, &texts))).await.unwrap();
    let before = number(&ring, "SELECT count(*) FROM lines").await;
    texts[500] = "changed".to_owned();
    put(&ring, "b", 2, "x", Some((2, &texts))).await.unwrap();
    assert_eq!(number(&ring, "SELECT count(*) FROM lines").await, before + 1);
    assert_eq!(number(&ring, "SELECT count(*) FROM blocks").await, 501);
    let found = ring.find("b").await.unwrap();
    assert_eq!(lines(&ring, found[0].catalogue.unwrap()).await.unwrap(), texts);
}

#[tokio::test]
async fn a_catalogue_goes_when_nothing_needs_it_and_its_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let ring = Ring::open(&RingOptions { max_records: 1, ..options(&folder) }).await.unwrap();
    put(&ring, "a", 1_000, "x", Some((1, &texts(4)))).await.unwrap();
    put(&ring, "b", 2_000, "x", Some((2, &texts(6)))).await.unwrap();
    assert_eq!(number(&ring, "SELECT count(*) FROM catalogues").await, 2, "ten seconds are not over");
    put(&ring, "c", 11_000, "x", Some((2, &texts(6)))).await.unwrap();
    assert_eq!(number(&ring, "SELECT count(*) FROM catalogues").await, 1);
    assert_eq!(number(&ring, "SELECT count(*) FROM lines").await, 7, "six tools and the weights");
    put(&ring, "d", 30_000, "x", None).await.unwrap();
    assert_eq!(number(&ring, "SELECT count(*) FROM catalogues").await, 0);
    assert_eq!(number(&ring, "SELECT count(*) FROM lines").await + number(&ring, "SELECT count(*) FROM block_lines").await, 1);
}

#[tokio::test]
async fn the_file_stays_within_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let ring = Ring::open(&RingOptions { max_bytes: MIB, ..options(&folder) }).await.unwrap();
    for i in 0..200 {
        put(&ring, &format!("{i}"), i, &"x".repeat(20_000), Some((i, &texts(20)))).await.unwrap();
        assert!(ring.bytes().await.unwrap() <= MIB);
    }
    let kept = ring.records().await.unwrap();
    assert!((20..60).contains(&kept), "{kept} records");
    assert!(ring.find("199").await.unwrap().len() == 1 && ring.find("0").await.unwrap().is_empty(), "the oldest go");
    assert!(std::fs::metadata(&ring.options.path).unwrap().len() <= MIB);
    let huge = put(&ring, "huge", 300, &"x".repeat(2 << 20), None).await.unwrap_err();
    assert!(matches!(huge, StoreError::Full), "{huge}");
    ring.halve(300).await.unwrap();
    assert_eq!(ring.records().await.unwrap(), kept / 2);
    put(&ring, "after", 301, "x", None).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_damaged_or_none_is_moved_aside() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(&folder);
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    for i in 1..=3 {
        std::fs::write(&options.path, "not a database, but some other file of somebody, and longer than a header is".repeat(20))
            .unwrap();
        let ring = Ring::open(&options).await.unwrap();
        put(&ring, "a", 1, "x", None).await.unwrap();
        ring.close().await;
        assert!(folder.path().join(format!("sub/replay.db.aside-{i}")).exists());
    }
    std::fs::write(&options.path, "again".repeat(1_000)).unwrap();
    let words = Ring::open(&options).await.unwrap_err().to_string();
    assert!(words.contains("remove them"), "{words}");
    let words = Ring::open_to_read(&options.path).await.unwrap_err().to_string();
    assert!(words.contains("replay.db"), "{words}");
}

#[tokio::test]
async fn what_was_changed_in_the_file_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let ring = Ring::open(&options(&folder)).await.unwrap();
    put(&ring, "a", 1, "body", Some((1, &texts(3)))).await.unwrap();
    let catalogue = ring.find("a").await.unwrap()[0].catalogue.unwrap();
    sqlx::query("UPDATE lines SET body = 'tool 8' WHERE body = 'tool 1'").execute(&ring.pool).await.unwrap();
    assert!(
        lines(&ring, catalogue).await.unwrap_err().to_string().contains("a line of the catalogue: it is not what was written")
    );
    sqlx::query("UPDATE records SET body = 'bodx'").execute(&ring.pool).await.unwrap();
    assert!(ring.find("a").await.unwrap_err().to_string().contains("the replay record of a"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The plain twin: a list that is cut at its front.
    #[test]
    fn the_newest_records_are_there_with_their_catalogues(
        max_records in 1_u64..6,
        puts in prop::collection::vec((0_u64..4, prop::option::of(1_usize..9)), 1..16),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let ring = Ring::open(&RingOptions { max_records, ..options(&folder) }).await.unwrap();
            let mut plain: BTreeMap<usize, (u64, Option<usize>)> = BTreeMap::new();
            for (i, (trace, tools)) in puts.iter().enumerate() {
                let given = tools.map(texts);
                let catalogue = given.as_ref().map(|texts| (texts.len() as u64, texts.as_slice()));
                put(&ring, &trace.to_string(), i as u64 * 4_000, &format!("body {i}"), catalogue).await.unwrap();
                plain.insert(i, (*trace, *tools));
                if max_records < plain.len() as u64 {
                    plain.pop_first();
                }
                for trace in 0..4 {
                    let found = ring.find(&u64::to_string(&trace)).await.unwrap();
                    let expected: Vec<_> = plain.iter().filter(|(_, (of, _))| *of == trace).collect();
                    assert_eq!(found.len(), expected.len());
                    for (found, (i, (_, tools))) in found.iter().zip(expected) {
                        assert_eq!(found.body, format!("body {i}"));
                        assert_eq!(found.catalogue.is_some(), tools.is_some());
                        if let (Some(catalogue), Some(tools)) = (found.catalogue, tools) {
                            assert_eq!(lines(&ring, catalogue).await.unwrap(), texts(*tools));
                        }
                    }
                }
            }
        });
    }
}
