//! Which tools stand beside which query: the tools of all sets and of a folder of distractors in one pool, and catalogues drawn from it.
//!
//! A catalogue of n tools is the first n of one random order per query, with the needed tools in front, so the catalogue of 2 tools is
//! part of the one of 10,000: what differs between two rows of a table is the tools that were added, not the luck of another draw. The
//! order of a query depends on the seed and its place in the pool alone, not on the sizes that are asked for.
//!
//! A tool that could pass for a needed one is never drawn: finding it would be no mistake. Where a tool stands in a catalogue is drawn
//! too, once for the whole pool, since both a tie and a language model favour what comes first.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::GrowthError;
use crate::eval::dataset::{Dataset, Twins, name_words};
use crate::tool::Tool;

/// The random stream of places; those of queries are their numbers.
const PLACES: u64 = u64::MAX;

/// All tools and all queries.
#[derive(Debug)]
pub struct Pool {
    pub(super) tools: Vec<Tool>,
    pub(super) queries: Vec<Asked>,
    /// Tools that may be drawn: of several with one name and description the first.
    drawable: Vec<usize>,
    /// Tools by the words of their name, drawable or not.
    by_name: HashMap<Vec<String>, Vec<usize>>,
}

/// A query with its tools in the pool.
#[derive(Debug)]
pub(super) struct Asked {
    /// `SET/ID`, for people.
    pub(super) id: String,
    pub(super) text: String,
    pub(super) relevant: Vec<usize>,
}

/// What is measured: each size with the queries asked at it, and the order of the tools for each of them.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) sizes: Vec<(usize, Vec<usize>)>,
    /// Why a size is left out.
    pub(super) skipped: Vec<String>,
    /// By query: tools, the needed ones first; a catalogue is the beginning of it.
    pub(super) orders: HashMap<usize, Vec<usize>>,
    /// By tool: its place among all.
    pub(super) places: Vec<u64>,
}

impl Pool {
    /// The tools and queries of `sets` and the tools of `distractors`.
    #[must_use]
    pub fn new(sets: Vec<Dataset>, distractors: Vec<Tool>) -> Self {
        let (mut tools, mut queries) = (Vec::new(), Vec::new());
        for set in sets {
            let first = tools.len();
            queries.extend(set.queries.into_iter().map(|query| Asked {
                id: format!("{}/{}", set.name, query.id),
                text: query.text,
                relevant: query.relevant.iter().map(|slot| first + slot).collect(),
            }));
            tools.extend(set.tools);
        }
        tools.extend(distractors);
        let mut seen = HashSet::new();
        let drawable =
            (0..tools.len()).filter(|slot| seen.insert((tools[*slot].id.name(), tools[*slot].description.as_str()))).collect();
        let mut by_name: HashMap<Vec<String>, Vec<usize>> = HashMap::new();
        for (slot, tool) in tools.iter().enumerate() {
            by_name.entry(name_words(tool)).or_default().push(slot);
        }
        Self { queries, drawable, by_name, tools }
    }

    /// How many different tools.
    #[must_use]
    pub fn len(&self) -> usize {
        self.drawable.len()
    }

    /// True without tools.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What to measure at `sizes`, up to `queries` queries each. A size that cannot be had is an error, or left out with `may_skip`.
    pub(super) fn plan(
        &self,
        sizes: &[NonZeroUsize],
        queries: NonZeroUsize,
        seed: u64,
        may_skip: bool,
    ) -> Result<Plan, GrowthError> {
        let mut places: Vec<u64> = (0..).take(self.tools.len()).collect();
        places.shuffle(&mut stream(seed, PLACES));
        let mut plan = Plan { sizes: Vec::new(), skipped: Vec::new(), orders: HashMap::new(), places };
        for size in sizes.iter().map(|size| size.get()) {
            let asked = self.asked_at(size, queries.get());
            match self.draw(size, &asked, seed, &mut plan.orders) {
                Ok(()) => plan.sizes.push((size, asked)),
                Err(unfit) if may_skip => plan.skipped.push(unfit.to_string()),
                Err(unfit) => return Err(unfit),
            }
        }
        if plan.sizes.is_empty() {
            return Err(GrowthError::NoSize { reasons: plan.skipped.join("; ") });
        }
        let most = plan.sizes.iter().map(|(size, _)| *size).max().unwrap_or_default();
        plan.orders.values_mut().for_each(|order| order.truncate(most));
        Ok(plan)
    }

    /// Queries that need at most `size` tools, at most so many, evenly spaced.
    fn asked_at(&self, size: usize, most: usize) -> Vec<usize> {
        let fit: Vec<usize> = (0..self.queries.len()).filter(|query| self.queries[*query].relevant.len() <= size).collect();
        let kept = most.min(fit.len());
        (0..kept).map(|i| fit[i * fit.len() / kept]).collect()
    }

    /// Makes the orders of the queries `asked`, those that are not there yet, and checks that they are long enough.
    fn draw(&self, size: usize, asked: &[usize], seed: u64, orders: &mut HashMap<usize, Vec<usize>>) -> Result<(), GrowthError> {
        if self.len() < size {
            return Err(GrowthError::PoolTooSmall { size, pool: self.len() });
        }
        if asked.is_empty() {
            let fewest = self.queries.iter().map(|query| query.relevant.len()).min().unwrap_or_default();
            return Err(GrowthError::NoQueries { size, fewest });
        }
        for query in asked {
            let order = orders.entry(*query).or_insert_with(|| self.order(*query, seed));
            if order.len() < size {
                let id = self.queries[*query].id.clone();
                return Err(GrowthError::TooManyTwins { size, query: id, left: order.len(), pool: self.len() });
            }
        }
        Ok(())
    }

    /// The needed tools of `query`, then all others that may stand beside them, at random.
    fn order(&self, query: usize, seed: u64) -> Vec<usize> {
        let relevant = &self.queries[query].relevant;
        let needed = || relevant.iter().map(|slot| &self.tools[*slot]);
        let twins = Twins::of(needed());
        let alike = needed().filter_map(|tool| self.by_name.get(&name_words(tool))).flatten().copied();
        let mut never: HashSet<usize> = alike.filter(|slot| twins.could_be(&self.tools[*slot])).collect();
        never.extend(relevant);
        let mut others: Vec<usize> = self.drawable.iter().copied().filter(|slot| !never.contains(slot)).collect();
        others.shuffle(&mut stream(seed, query as u64));
        relevant.iter().copied().chain(others).collect()
    }
}

/// A random stream of its own for each `number` under a seed.
fn stream(seed: u64, number: u64) -> StdRng {
    let mut state = [0; 32];
    state[..8].copy_from_slice(&seed.to_le_bytes());
    state[8..16].copy_from_slice(&number.to_le_bytes());
    StdRng::from_seed(state)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::eval::dataset::Query;
    use crate::tool::{Document, ToolId};

    fn tool(source: &str, name: &str, description: &str) -> Tool {
        Tool::new(ToolId::new(source, name).unwrap(), description.to_owned(), Document::empty())
    }

    fn set(name: &str, tools: Vec<Tool>, needs: &[&[usize]]) -> Dataset {
        let queries = needs.iter().enumerate().map(|(i, relevant)| Query {
            id: format!("q{i}"),
            text: format!("do {i}"),
            relevant: relevant.to_vec(),
            candidates: None,
        });
        Dataset { name: name.into(), split: String::new(), tools, queries: queries.collect(), distractors: 0, twins_left_out: 0 }
    }

    fn numbers(sizes: &[usize]) -> Vec<NonZeroUsize> {
        sizes.iter().map(|size| NonZeroUsize::new(*size).unwrap()).collect()
    }

    /// Two sets and distractors with copies and lookalikes of each other's tools.
    fn pool() -> Pool {
        let first = vec![
            tool("mail", "send_mail", "Sends a letter to a person"),
            tool("mail", "read_mail", "Reads the newest letters"),
            tool("files", "read_file", "Reads a file from disk"),
        ];
        let second = vec![
            tool("post", "mailSend", "Sends a letter to a person or a group"),
            tool("post", "stamp", "Buys stamps"),
            tool("disk", "read_file", "Fetches weather for towns"),
        ];
        let mut rest: Vec<Tool> = (0..20).map(|i| tool("rest", &format!("other_{i}"), &format!("Does thing {i}"))).collect();
        rest.push(tool("copy", "stamp", "Buys stamps"));
        Pool::new(vec![set("a", first, &[&[0], &[0, 2], &[1]]), set("b", second, &[&[1], &[0, 1, 2]])], rest)
    }

    #[test]
    fn a_copy_is_drawn_once_and_lookalikes_of_needed_tools_never() {
        let pool = pool();
        assert_eq!((pool.tools.len(), pool.len()), (27, 26));
        let beside =
            |query: usize| pool.order(query, 1).into_iter().map(|slot| pool.tools[slot].id.to_string()).collect::<Vec<_>>();
        let (send, file) = (beside(0), beside(1));
        assert!(send[0] == "mail/send_mail" && !send.contains(&"post/mailSend".to_owned()), "{send:?}");
        assert!(send.contains(&"disk/read_file".to_owned()) && !send.contains(&"copy/stamp".to_owned()));
        assert!(file[..2] == ["mail/send_mail", "files/read_file"] && file.contains(&"disk/read_file".to_owned()));
        assert!(!beside(3)[1..].contains(&"copy/stamp".to_owned()));
    }

    #[test]
    fn a_size_that_cannot_be_had_is_named_or_left_out() {
        let pool = pool();
        let one = NonZeroUsize::MIN;
        let all = NonZeroUsize::new(100).unwrap();
        let check = |sizes: &[usize], queries, words: &[&str]| {
            let error = pool.plan(&numbers(sizes), queries, 0, false).unwrap_err().to_string();
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
        };
        check(&[2, 27], all, &["27 tools", "the pool has 26"]);
        check(&[26], all, &["26 tools", "a/q0", "25 of the pool's 26"]);
        let plan = pool.plan(&numbers(&[2, 26, 500]), all, 0, true).unwrap();
        assert_eq!((plan.sizes.len(), plan.skipped.len()), (1, 2));
        assert!(pool.plan(&numbers(&[500]), all, 0, true).unwrap_err().to_string().contains("500 tools"));
        // Nobody needs a single tool here.
        let pairs = Pool::new(vec![set("p", vec![tool("s", "a", "x"), tool("s", "b", "y")], &[&[0, 1]])], Vec::new());
        let error = pairs.plan(&numbers(&[1]), one, 0, false).unwrap_err().to_string();
        assert!(error.contains("no query needs at most 1") && error.contains("the least is 2"), "{error}");
    }

    #[test]
    fn queries_are_spread_over_all_sets() {
        let pool = pool();
        assert_eq!(pool.asked_at(1, 100), [0, 2, 3]);
        assert_eq!(pool.asked_at(2, 2), [0, 2]);
        assert_eq!(pool.asked_at(9, 3), [0, 1, 3]);
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        let pool = pool();
        let orders = |seed, sizes: &[usize]| {
            let plan = pool.plan(&numbers(sizes), NonZeroUsize::new(9).unwrap(), seed, false).unwrap();
            let mut orders: Vec<_> = plan.orders.into_iter().collect();
            orders.sort_unstable();
            (orders, plan.places)
        };
        assert_eq!(orders(7, &[3, 20]), orders(7, &[3, 20]));
        assert_ne!(orders(7, &[3, 20]), orders(8, &[3, 20]));
        // A further size changes nothing of the others.
        let (long, short) = (orders(7, &[3, 20]).0, orders(7, &[3]).0);
        assert!(long.iter().zip(&short).all(|(long, short)| long.0 == short.0 && long.1[..3] == short.1[..]));
    }

    proptest! {
        /// Checked tool by tool, without the index by name.
        #[test]
        fn a_catalogue_has_its_size_the_needed_tools_and_no_twin(
            names in prop::collection::vec(("(get|send|read)_(mail|file)", "(reads|sends) (a|one) (file|mail)( now)?"), 8..40),
            needs in prop::collection::vec(prop::collection::btree_set(0_usize..8, 1..3), 1..6),
            seed in 0_u64..5,
        ) {
            let (own, rest) = names.split_at(8);
            let made = |list: &[(String, String)]| -> Vec<Tool> {
                list.iter().enumerate().map(|(i, (name, text))| tool(&format!("s{i}"), name, text)).collect()
            };
            let needs: Vec<Vec<usize>> = needs.into_iter().map(|need| need.into_iter().collect()).collect();
            let needs: Vec<&[usize]> = needs.iter().map(Vec::as_slice).collect();
            let pool = Pool::new(vec![set("s", made(own), &needs)], made(rest));
            let Ok(plan) = pool.plan(&numbers(&[2, 3, 5]), NonZeroUsize::new(50).unwrap(), seed, true) else { return Ok(()) };
            let mut places = plan.places.clone();
            places.sort_unstable();
            prop_assert_eq!(places, (0..pool.tools.len() as u64).collect::<Vec<_>>());
            for (size, queries) in &plan.sizes {
                for query in queries {
                    let relevant = &pool.queries[*query].relevant;
                    let catalogue = &plan.orders[query][..*size];
                    prop_assert_eq!(catalogue.iter().collect::<HashSet<_>>().len(), *size);
                    prop_assert!(relevant.iter().all(|slot| catalogue.contains(slot)));
                    for slot in catalogue.iter().filter(|slot| !relevant.contains(slot)) {
                        let is_twin = relevant.iter().any(|needed| Twins::of([&pool.tools[*needed]].into_iter()).could_be(&pool.tools[*slot]));
                        prop_assert!(!is_twin);
                    }
                }
            }
        }
    }
}
