//! The report: one page that stands by itself, from results like those of a whole evaluation.
//!
//! The page is left in `CARGO_TARGET_TMPDIR` as `report.html`, to be looked at.

use std::path::Path;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tool_router::eval::report::{GrowthRow, html};
use tool_router::eval::results::{Abstention, Asked, Case, FORMAT, Results, Returned, Run};

/// Set, split, tools, queries, how hard it is (0 to 1).
const SETS: [(&str, &str, usize, usize, f64); 8] = [
    ("calendar-and-mail", "", 87, 40, 0.1),
    ("office", "test", 240, 100, 0.25),
    ("web-apis", "single", 3_451, 120, 0.35),
    ("web-apis", "several", 3_451, 90, 0.5),
    ("servers", "", 1_980, 70, 0.55),
    ("commands", "test", 560, 60, 0.45),
    ("questions", "", 12_400, 110, 0.65),
    ("home", "dev", 64, 50, 0.2),
];
const STEPS: [(&str, f64); 5] = [("clauses", 0.18), ("names", 0.08), ("words", 0.3), ("views", 0.12), ("scripts", 0.0)];

/// A query's tools and how hard it is for anyone, so that rankers agree on what is hard as real ones do.
struct Question {
    id: String,
    needed: usize,
    hard: f64,
}

fn questions(rng: &mut StdRng, n: usize, hard: f64) -> Vec<Question> {
    let one = |i| Question {
        id: format!("q{i}"),
        needed: if rng.random_bool(0.3) { rng.random_range(2..4) } else { 1 },
        hard: (hard + rng.random_range(-0.35..0.35)).clamp(0.02, 0.97),
    };
    (0..n).map(one).collect()
}

/// The easier and the better, the earlier the tools stand.
fn run(
    rng: &mut StdRng,
    set: (&str, &str, usize, usize, f64),
    questions: &[Question],
    ranker: &str,
    without: &str,
    skill: f64,
) -> Run {
    let queries = questions.iter().map(|question| {
        let miss = (question.hard * (1.6 - skill)).clamp(0.02, 0.98);
        let mut places: Vec<usize> = Vec::new();
        for _ in 0..question.needed {
            let mut place = 1;
            while place <= 60 && (rng.random_bool(miss) || places.contains(&place)) {
                place += rng.random_range(1..6);
            }
            if place <= 50 {
                places.push(place);
            }
        }
        places.sort_unstable();
        let sure = (1.0 - miss * 0.85 + rng.random_range(-0.15..0.15)).clamp(0.0, 1.0);
        let confidence = (ranker == "router" && without.is_empty()).then_some(sure as f32);
        Asked { id: question.id.clone(), needed: question.needed, places, confidence }
    });
    let router = ranker == "router";
    Run {
        set: set.0.into(),
        split: set.1.into(),
        ranker: ranker.into(),
        without: without.into(),
        tools: set.2,
        distractors: 0,
        tokens_mean: router.then_some(1_180.0 + 40.0 * set.4),
        embed_us_p50: (ranker != "bm25").then_some(2_140.0),
        rest_us_p50: 90.0 + set.2 as f64 / 20.0,
        engine: if ranker == "bm25" { String::new() } else { "exact".into() },
        queries: queries.collect(),
        worst: Vec::new(),
    }
}

fn worst(run: &Run) -> Vec<Case> {
    let mut queries: Vec<&Asked> = run.queries.iter().collect();
    queries.sort_by(|a, b| a.scores().ndcg_10.total_cmp(&b.scores().ndcg_10));
    let texts = [
        "Move Thursday's stand-up to Friday at ten, tell everybody who said they would come, and book the small room instead.",
        "what is <script>alert('mine')</script> & why does it \"run\"?",
        "احجز لي رحلة إلى القاهرة يوم الجمعة",
        "Delete the draft",
    ];
    let case = |(i, asked): (usize, &&Asked)| Case {
        id: asked.id.clone(),
        text: texts[i % texts.len()].into(),
        needed: (0..asked.needed).map(|n| format!("{}/needed_{n}", run.set)).collect(),
        returned: (1..=8)
            .map(|place| Returned {
                tool: match asked.places.iter().position(|p| *p == place) {
                    Some(n) => format!("{}/needed_{n}", run.set),
                    None if place == 3 => "shop/<script src=\"//evil\"></script>".into(),
                    None => format!("{}/other_tool_{place}", run.set),
                },
                needed: asked.places.contains(&place),
                why: format!("meaning .{:02}, words .{:02}, name .00", 71 - place * 3, 40 - place * 2),
            })
            .collect(),
    };
    queries.iter().take(6).enumerate().map(case).collect()
}

fn synthetic() -> Results {
    let mut rng = StdRng::seed_from_u64(11);
    let mut runs = Vec::new();
    for set in SETS {
        let questions = questions(&mut rng, set.3, set.4);
        for (ranker, skill) in [("router", 1.0), ("bm25", 0.5), ("cosine", 0.75)] {
            // A set on which meaning is worth little.
            let skill = if set.0 == "commands" && ranker == "bm25" { 1.15 } else { skill };
            let mut run = run(&mut rng, set, &questions, ranker, "", skill);
            if ranker == "router" {
                run.worst = worst(&run);
            }
            runs.push(run);
        }
        for (step, worth) in STEPS {
            runs.push(run(&mut rng, set, &questions, "router", step, 1.0 - worth));
        }
        for more in [1_000, 10_000] {
            if set.0 == "office" || set.0 == "home" {
                for (ranker, skill) in [("router", 0.95), ("bm25", 0.5), ("cosine", 0.76)] {
                    let skill = skill - 0.04 * f64::from(more).log10();
                    let mut run = run(&mut rng, set, &questions, ranker, "", skill);
                    (run.tools, run.distractors) = (set.2 + more as usize, more as usize);
                    runs.push(run);
                }
            }
        }
    }
    let mut abstention = |set: &str, none: f32, below: f32| Abstention {
        set: set.into(),
        none_split: "none".into(),
        some_split: "test".into(),
        none: (0..150).map(|_| (none + rng.random_range(-0.3..0.3_f32)).clamp(0.0, 1.0)).collect(),
        some: (0..300)
            .map(|_| {
                let sure = (0.66 + rng.random_range(-0.45..0.33_f32)).clamp(0.0, 1.0);
                (sure, if rng.random_bool(f64::from(sure)) { 1.0 } else { 0.0 })
            })
            .collect(),
        abstain_below: below,
        abstain_strictly_below: Some(below + 0.1),
    };
    let abstentions = vec![abstention("office", 0.31, 0.35), abstention("home", 0.48, 0.35)];
    Results { format: FORMAT, model: "synthetic, seed 11".into(), runs, abstentions }
}

fn growth() -> Vec<GrowthRow> {
    let row = |tools: usize| {
        let n = tools as f64;
        GrowthRow {
            tools,
            queries: 100,
            tokens_all: 128.0 * n,
            tokens_returned: (118.0 * n).min(1_260.0 + 12.0 * n.ln()),
            complete: 1.0 - 0.035 * n.ln().max(0.0),
            recall: 1.0 - 0.024 * n.ln().max(0.0),
            covered: 0.98 - 0.024 * n.ln().max(0.0),
            covered_with_directory: 0.99 - 0.02 * n.ln().max(0.0),
            added_ms_p50: 2.1 + n / 9_000.0,
        }
    };
    [2, 6, 15, 30, 100, 500, 2_000, 10_000].map(row).into()
}

/// Tags that are open, after checking that each is closed in its order and that nothing else is odd about `page`.
fn check_page(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let body = page.strip_prefix("<!DOCTYPE html>").unwrap();
    let (before, rest) = body.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    for part in [before, after] {
        for (at, _) in part.match_indices('<') {
            let (tag, _) = part[at + 1..].split_once('>').unwrap();
            let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap();
            assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()), "<{tag}>");
            assert_eq!(tag.matches('"').count() % 2, 0, "<{tag}>");
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name), "at {}", &part[at.saturating_sub(200)..at]);
            } else if !tag.ends_with('/') {
                open.push(name);
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
    // Nothing to fetch, nothing to run, no figure that is none.
    for ban in ["http:", "https:", "src=", "url(", "@import", "<script", "<link", " on", "NaN", "inf"] {
        let within_tags = |text: &str| text.match_indices('<').any(|(at, _)| text[at..].split('>').next().unwrap().contains(ban));
        let anywhere = ["<script", "<link", "NaN"].contains(&ban) && page.contains(ban);
        let in_words = ban == " on" && !tags_with_handlers(page);
        assert!(!anywhere && (in_words || !within_tags(after) && !within_tags(before)), "{ban}");
    }
    assert!(!rest.split_once("</style>").unwrap().0.contains("url(") && !rest.contains("@import"));
}

/// Whether a tag has an attribute like `onclick=`.
fn tags_with_handlers(page: &str) -> bool {
    let tags = page.match_indices('<').filter_map(|(at, _)| page[at..].split('>').next());
    tags.flat_map(|tag| tag.split(' ').skip(1)).any(|attribute| attribute.starts_with("on") && attribute.contains('='))
}

#[test]
fn the_report_is_one_sound_page() {
    let page = html(&synthetic(), Some(&growth()));
    check_page(&page);
    assert!(page.contains("&lt;script&gt;alert(&#39;mine&#39;)&lt;/script&gt; &amp; why"), "a query stays text");
    assert!(page.contains("shop/&lt;script src=&quot;//evil&quot;&gt;"), "a tool's name stays text");
    for section in ["summary", "sets", "depth", "calibration", "abstention", "size", "ablations", "worst", "growth"] {
        assert!(page.contains(&format!("<section id=\"{section}\">")) && page.contains(&format!("href=\"#{section}\"")));
    }
    assert!(!page.contains("class=\"empty\""), "every section has something to show");
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("report.html"), page).unwrap();
}

#[test]
fn sections_without_data_say_why() {
    let empty = Results { format: FORMAT, model: "m".into(), runs: Vec::new(), abstentions: Vec::new() };
    let page = html(&empty, None);
    check_page(&page);
    assert_eq!(page.matches("class=\"empty\"").count(), 9, "{page}");
    assert!(page.contains("No run left a step out: add --ablations."));

    let mut alone = synthetic();
    alone.runs.retain(|run| run.ranker == "router" && run.without == "clauses");
    alone.abstentions[0].none.clear();
    check_page(&html(&alone, Some(&[])));
    let mut bare = synthetic();
    bare.runs.retain(|run| run.ranker == "router" && run.without.is_empty());
    for run in &mut bare.runs {
        run.queries.truncate(1);
        (run.tools, run.queries[0].needed, run.queries[0].confidence) = (0, 0, None);
        run.queries[0].places.clear();
    }
    bare.runs[0].queries.clear();
    let page = html(&bare, None);
    assert_eq!(page, html(&bare, None), "equal results give equal pages");
    check_page(&page);
    assert!(page.contains("No baseline was run beside it") && page.contains("there are no queries"), "{page}");
}
