//! The slow twin, and what a request decides.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn scored(slot: u32, score: f32, mentioned: bool) -> Scored {
    Scored { mentioned, ..Scored::bare(slot, score) }
}

fn slots(ranked: &[Scored]) -> Vec<u32> {
    ranked.iter().map(|scored| scored.slot).collect()
}

/// Source, name and description by slot.
type Tools<'a> = [(&'a str, &'a str, &'a str)];

fn look<'a>(tools: &'a Tools<'a>) -> impl Fn(u32) -> Option<Look<'a>> {
    |slot| tools.get(slot as usize).map(|(source, name_key, description)| Look { source, name: name_key, name_key, description })
}

/// The order of `tools`, ranked as they stand with scores close together, and how the first stands.
fn settled(tools: &Tools<'_>, query: &str) -> (Vec<u32>, Option<Standing>) {
    let mut ranked: Vec<Scored> =
        tools.iter().zip(0_u8..).map(|(_, n)| scored(u32::from(n), 1.0 - f32::from(n) / 100.0, false)).collect();
    settle(&mut ranked, query, look(tools));
    (slots(&ranked), ranked.first().and_then(|first| first.standing))
}

const CRM: [(&str, &str, &str); 3] =
    [("crm-a", "contact search", "Searches contacts."), ("mail", "send", "Sends."), ("crm-b", "contact search", "Finds people.")];

#[test]
fn the_source_that_the_request_says_comes_first() {
    let check = |query: &str, order: [u32; 3], first| assert_eq!(settled(&CRM, query), (order.to_vec(), first), "{query}");
    check("search contacts in crm b", [2, 1, 0], Some(Standing::Preferred { to: 0 }));
    check("search contacts in CRM-A", [0, 1, 2], Some(Standing::Preferred { to: 2 }));
    check("search contacts", [0, 1, 2], Some(Standing::Tied { with: 2, more: 0 }));
    check("search contacts of a crm", [0, 1, 2], Some(Standing::Tied { with: 2, more: 0 }));
}

#[test]
fn the_whole_name_of_a_source_says_more_than_a_part_of_it() {
    let tools = [("github-enterprise", "issue list", ""), ("github", "issue list", "")];
    assert_eq!(settled(&tools, "list the issues on github").0, [1, 0]);
    assert_eq!(settled(&tools, "list the issues on GitHub Enterprise").0, [0, 1]);
}

#[test]
fn words_of_the_name_do_not_say_the_source() {
    let tools = [("crm", "contact search", ""), ("contacts", "contact search", ""), ("mcp-server", "contact search", "")];
    assert_eq!(settled(&tools, "search contacts on the server"), (vec![0, 1, 2], Some(Standing::Tied { with: 1, more: 1 })));
}

#[test]
fn those_that_lost_do_not_tie() {
    let tools = [("crm-a", "search", ""), ("crm-b", "search", ""), ("crm-c", "search", "")];
    let mut ranked: Vec<Scored> = (0..3).map(|slot| scored(slot, 1.0, false)).collect();
    settle(&mut ranked, "search in crm c", look(&tools));
    let standings: Vec<_> = ranked.iter().map(|scored| (scored.slot, scored.standing)).collect();
    assert_eq!(standings, [(2, Some(Standing::Preferred { to: 0 })), (0, None), (1, None)]);
}

#[test]
fn a_source_with_its_name_behind_it_says_most() {
    assert_eq!(settled(&CRM, "use crm-a/contact_search, not what is in crm b").0, [0, 1, 2]);
    assert_eq!(settled(&CRM, "use crm-b.contact_search, not what is in crm a").0, [2, 1, 0]);
}

#[test]
fn equal_descriptions_make_rivals_too() {
    let tools =
        [("a", "1 get user v", "Gets a user."), ("a", "2 get user v", "Gets a user."), ("a", "drop user", "Drops a user.")];
    assert_eq!(settled(&tools, "get user v2").0, [1, 0, 2]);
    let no_text = [("x", "one", ""), ("y", "two", "")];
    assert_eq!(settled(&no_text, "y"), (vec![0, 1], None));
}

#[test]
fn what_scores_much_lower_is_no_rival() {
    let mut ranked = [scored(0, 1.0, false), scored(2, 1.0 - 1.1 * MARGIN, false)];
    settle(&mut ranked, "crm b", look(&CRM));
    assert_eq!(slots(&ranked), [0, 2]);
    assert!(ranked.iter().all(|scored| scored.standing.is_none()));
}

#[test]
fn a_named_tool_stays_above_its_rivals() {
    let mut ranked = [scored(0, 0.5, true), scored(2, 0.5, false)];
    settle(&mut ranked, "crm b", look(&CRM));
    assert_eq!(slots(&ranked), [0, 2]);
}

#[test]
fn only_the_first_are_looked_at() {
    let mut ranked: Vec<Scored> = (0..60).map(|slot| scored(slot, 1.0, false)).collect();
    let sources: Vec<String> = (0..60).map(|n| format!("s{n}")).collect();
    settle(&mut ranked, "in s 49 and in s 55", |slot| {
        sources.get(slot as usize).map(|source| Look { source, name: "search", name_key: "search", description: "" })
    });
    assert_eq!((ranked[0].slot, ranked[1].slot, ranked[55].slot), (49, 0, 55));
    assert!(ranked[DEPTH..].iter().all(|scored| scored.standing.is_none()));
}

/// Rivals, pair by pair: as the documentation says it.
fn rivals_of(ranked: &[Scored], tools: &Tools<'_>, at: usize) -> BTreeSet<usize> {
    let same = |a: &Scored, b: &Scored| {
        let ((_, name, description), (_, other_name, other_description)) = (tools[a.slot as usize], tools[b.slot as usize]);
        let equal = |a: &str, b: &str| !a.is_empty() && a == b;
        a.mentioned == b.mentioned && (equal(name, other_name) || equal(description, other_description))
    };
    let mut kind = BTreeSet::from([at]);
    loop {
        let more: Vec<usize> = (0..ranked.len()).filter(|i| kind.iter().any(|j| same(&ranked[*i], &ranked[*j]))).collect();
        let before = kind.len();
        kind.extend(more);
        if kind.len() == before {
            break;
        }
    }
    // From the best down, each group is what is close to the best of those that are left.
    let mut left = kind;
    loop {
        let best = left.iter().map(|i| ranked[*i].score).fold(f32::NEG_INFINITY, f32::max);
        let (close, rest): (BTreeSet<usize>, BTreeSet<usize>) = left.iter().partition(|i| best - ranked[**i].score < MARGIN);
        if close.contains(&at) {
            return close;
        }
        left = rest;
    }
}

proptest! {
    #[test]
    fn only_rivals_move_and_settling_twice_changes_nothing(
        tools in prop::collection::vec(
            (prop::sample::select(vec!["crm-a", "crm-b", "mail", "b"]), prop::sample::select(vec!["", "find", "get"]), prop::sample::select(vec!["", "Gets.", "Finds."])),
            0..12,
        ),
        scores in prop::collection::vec((prop::sample::select(vec![0.3_f32, 0.4, 0.5, 0.6, 0.7, 0.9]), any::<bool>()), 12),
        query in "((crm|a|b|mail|find|get|it) ){0,5}",
    ) {
        let mut before: Vec<Scored> = (0_u32..).zip(&tools).zip(&scores).map(|((slot, _), (score, named))| scored(slot, *score, *named)).collect();
        before.sort_by(|a, b| b.mentioned.cmp(&a.mentioned).then(b.score.total_cmp(&a.score)));
        let mut after = before.clone();
        settle(&mut after, &query, look(&tools));
        let mut all = slots(&after);
        all.sort_unstable();
        prop_assert_eq!(all, (0..u32::try_from(tools.len()).unwrap()).collect::<Vec<_>>(), "a permutation");

        // The slow twin: each group sorted by what the request says, into the places it holds.
        let request = Request::of(&query);
        let says = |scored: &Scored| request.says(&look(&tools)(scored.slot).unwrap());
        let mut expected: BTreeMap<usize, u32> = BTreeMap::new();
        for at in 0..before.len() {
            let group: Vec<usize> = rivals_of(&before, &tools, at).into_iter().collect();
            let mut members: Vec<&Scored> = group.iter().map(|place| &before[*place]).collect();
            members.sort_by_key(|scored| std::cmp::Reverse(says(scored)));
            expected.extend(group.iter().copied().zip(members.iter().map(|scored| scored.slot)));
            let marked = members.iter().filter(|scored| says(scored) == says(&before[at])).count();
            let now = after.iter().find(|scored| scored.slot == before[at].slot).unwrap();
            prop_assert_eq!(matches!(now.standing, Some(Standing::Tied { .. })), 1 < marked && says(&before[at]) == says(members[0]));
        }
        prop_assert_eq!(slots(&after), expected.into_values().collect::<Vec<_>>());
        let mut again = after.clone();
        settle(&mut again, &query, look(&tools));
        prop_assert_eq!(&again, &after, "idempotent");
        for (old, new) in before.iter().zip(&after) {
            prop_assert_eq!(old.mentioned, new.mentioned, "never above one that the query names");
        }
    }
}
