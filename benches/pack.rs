//! Packing two hundred candidates under caps of different size, and counting one definition.

use divan::Bencher;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tool_router::compact::{Candidate, LEADS, Limits, Tokenizer, frame, pack};
use tool_router::tool::TokenCount;

fn main() {
    divan::main();
}

#[divan::bench(args = [300, 1_500, 8_000])]
fn two_hundred_candidates(bencher: Bencher<'_, '_>, max_tokens: u32) {
    let mut rng = StdRng::seed_from_u64(7);
    let candidates: Vec<Candidate> = (0..200)
        .map(|_| {
            let skeleton = rng.random_range(30..120);
            let lean = skeleton + rng.random_range(10..150);
            Candidate { skeleton: TokenCount(skeleton), lean: TokenCount(lean), full: TokenCount(lean + rng.random_range(0..20)) }
        })
        .collect();
    let limits = Limits { max_tokens: TokenCount(max_tokens), max_tools: 20, frame: frame(Tokenizer::O200kBase), leads: LEADS };
    bencher.bench(|| pack(&candidates, &limits));
}

#[divan::bench(args = Tokenizer::ALL)]
fn count_a_definition(bencher: Bencher<'_, '_>, tokenizer: Tokenizer) {
    let text =
        r#"{"type":"function","function":{"name":"read_file","description":"Reads a text file. Returns at most 2 MiB."}},"#
            .repeat(4);
    bencher.bench(|| tokenizer.count(&text));
}
