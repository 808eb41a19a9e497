//! Packing two hundred candidates under caps of different size, and counting one definition.

use divan::Bencher;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tool_router::compact::{Candidate, Fidelity, Format, Forms, Limits, Tokenizer, Values, cost, frame, pack, prompt};
use tool_router::tool::{ModelName, TokenCount, Tool};

fn main() {
    divan::main();
}

#[divan::bench(args = [(50, 300), (50, 1_500), (200, 1_500), (200, 8_000)])]
fn candidates_under_a_cap(bencher: Bencher<'_, '_>, (count, max_tokens): (usize, u32)) {
    let mut rng = StdRng::seed_from_u64(7);
    let candidates: Vec<Candidate> = (0..count)
        .map(|place| {
            let skeleton = rng.random_range(30..120);
            let lean = skeleton + rng.random_range(10..150);
            let objects = [skeleton, lean, lean + rng.random_range(0..20)].map(TokenCount);
            let lines = Some([rng.random_range(8..20), rng.random_range(20..60)].map(TokenCount));
            Candidate { probability: 1.0 / (place as f32 + 2.0), objects, lines, held: None }
        })
        .collect();
    let limits = Limits {
        max_tokens: TokenCount(max_tokens),
        max_tools: 20,
        frame: frame(Tokenizer::O200kBase),
        first: 0,
        values: Values::default(),
    };
    bencher.bench(|| pack(&candidates, &limits));
}

#[divan::bench(args = Tokenizer::ALL)]
fn count_a_definition(bencher: Bencher<'_, '_>, tokenizer: Tokenizer) {
    let text =
        r#"{"type":"function","function":{"name":"read_file","description":"Reads a text file. Returns at most 2 MiB."}},"#
            .repeat(4);
    bencher.bench(|| tokenizer.count(&text));
}

/// The bundled tools, in turn.
fn bundled() -> Vec<(Tool, ModelName)> {
    let catalogue = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/catalogue");
    let files = std::fs::read_dir(catalogue).expect("it is there").map(|entry| entry.expect("readable").path());
    let tools = files
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .flat_map(|path| tool_router::import::file::read(&path, None).expect("a sound file").tools);
    tools.map(|tool| (tool.clone(), ModelName::choose(&tool.id, |_| false))).collect()
}

#[divan::bench(args = Fidelity::ALL)]
fn render_a_tool(bencher: Bencher<'_, '_>, fidelity: Fidelity) {
    let tools = bundled();
    let mut next = 0;
    bencher.bench_local(|| {
        next += 1;
        let (tool, name) = &tools[next % tools.len()];
        Forms::of(tool).render(tool, name, Format::OpenAiChat, fidelity)
    });
}

#[divan::bench(args = Fidelity::ALL)]
fn count_a_tool(bencher: Bencher<'_, '_>, fidelity: Fidelity) {
    let texts: Vec<String> =
        bundled().iter().map(|(tool, name)| Forms::of(tool).render(tool, name, Format::OpenAiChat, fidelity)).collect();
    let mut next = 0;
    bencher.bench_local(|| {
        next += 1;
        cost(&texts[next % texts.len()], Tokenizer::O200kBase)
    });
}

/// Twenty tools as one text: what a selection would pay to count its list anew.
#[divan::bench]
fn count_a_list(bencher: Bencher<'_, '_>) {
    let lean = |(tool, name): &(Tool, ModelName)| Forms::of(tool).render(tool, name, Format::OpenAiChat, Fidelity::Lean);
    let items: Vec<String> = bundled().iter().take(20).map(lean).collect();
    let text = prompt(items.iter().map(String::as_str));
    bencher.bench(|| Tokenizer::O200kBase.count(&text));
}
