//! Small results for the tests of the page, with figures that can be worked out in the head.

use crate::eval::results::{Abstention, Asked, Case, FORMAT, Results, Returned, Run};

/// Ten queries with one needed tool each at `place`; 0: not found.
pub(super) fn run(set: &str, split: &str, ranker: &str, without: &str, place: usize) -> Run {
    let queries = (0..10).map(|i| Asked {
        id: format!("q{i}"),
        needed: 1,
        places: if place == 0 { Vec::new() } else { vec![place] },
        confidence: (ranker == "router").then_some(0.75),
    });
    Run {
        set: set.into(),
        split: split.into(),
        ranker: ranker.into(),
        without: without.into(),
        tools: 100,
        distractors: 0,
        tokens_mean: (ranker == "router").then_some(812.4),
        embed_us_p50: Some(2_100.0),
        rest_us_p50: 140.0,
        engine: "exact".into(),
        queries: queries.collect(),
        worst: Vec::new(),
    }
}

pub(super) fn results() -> Results {
    let mut large = run("mail", "", "router", "", 2);
    (large.tools, large.distractors) = (1_100, 1_000);
    let mut router = run("mail", "", "router", "", 1);
    router.worst = vec![Case {
        id: "q<7>".into(),
        text: "send <script>alert(1)</script> & go".into(),
        needed: vec!["mail/send<b>".into()],
        returned: vec![
            Returned { tool: "mail/<script>x</script>".into(), needed: false, why: "words .40 \"mail\"".into() },
            Returned { tool: "mail/send<b>".into(), needed: true, why: "meaning .31".into() },
        ],
    }];
    Results {
        format: FORMAT,
        model: "sample & model".into(),
        runs: vec![
            large,
            run("mail", "", "bm25", "", 0),
            router,
            run("mail", "", "cosine", "", 7),
            run("mail", "", "router", "clauses", 6),
            run("files", "test", "router", "", 3),
            run("files", "test", "bm25", "", 2),
            run("files", "test", "cosine", "", 3),
            run("files", "test", "router", "clauses", 3),
            run("partial", "", "router", "", 1),
        ],
        abstentions: vec![Abstention {
            set: "mail".into(),
            none_split: "none".into(),
            some_split: "some".into(),
            none: vec![0.1, 0.2, 0.6, 0.3],
            some: vec![(0.9, 1.0), (0.5, 0.5), (0.8, 1.0), (0.15, 0.0)],
            abstain_below: 0.4,
            abstain_strictly_below: Some(0.6),
        }],
    }
}
