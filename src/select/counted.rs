//! What definitions cost in tokens that are not counted at registration.
//!
//! An estimate is a multiplication. A tokenizer file is some hundred times slower than that, so what it counted is remembered, under all that
//! the text depends on: the tool's own texts, the style, and what counts.

use crate::cache::Cache;
use crate::catalog::{Entry, TextHash};
use crate::compact::counter::Kind;
use crate::compact::profile::{Style, Written};
use crate::compact::{Counter, Fidelity, Line};
use crate::tool::{TenantId, TokenCount};

/// Bytes of remembered counts: some 20,000 tools in one style by one file.
const KNOWN_BYTES: u64 = 4 << 20;
/// About what one takes, key included.
const ENTRY_BYTES: usize = 200;

type Objects = [TokenCount; Fidelity::ALL.len()];

/// Whose tool it is belongs to the key: nobody can learn from timing what another tenant has.
type Key = (TenantId, TextHash, Style, [u8; 32]);

/// One tool as it is written for one request.
pub(super) struct Definition<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) entry: &'a Entry,
    pub(super) style: Style,
    /// Its texts, where they are not those that were counted at registration.
    pub(super) written: Option<&'a Written>,
}

impl Definition<'_> {
    fn text(&self, fidelity: Fidelity) -> String {
        let rendered = || self.entry.rendering(self.style.format, fidelity);
        self.written.map_or_else(rendered, |written| written.text(fidelity).to_owned())
    }
}

type Lines = [TokenCount; Line::ALL.len()];

/// Lines have no style.
type LineKey = (TenantId, TextHash, [u8; 32]);

/// Counts by tokenizer files. A cheap handle.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    objects: Cache<Key, Objects>,
    lines: Cache<LineKey, Lines>,
}

impl Counted {
    /// Remembers nothing yet.
    pub(super) fn new() -> Self {
        Self { objects: Cache::new(KNOWN_BYTES, |_, _| ENTRY_BYTES), lines: Cache::new(KNOWN_BYTES, |_, _| ENTRY_BYTES) }
    }

    /// What `definition` costs at each fidelity by `counter`, where it costs `base` by what that starts from.
    pub(super) fn objects(&self, definition: &Definition<'_>, base: Objects, counter: &Counter) -> Objects {
        let Kind::File(file) = counter.kind() else { return base.map(|base| counter.cost(base, String::new)) };
        let key = (definition.tenant.clone(), definition.entry.text_hash(), definition.style, *counter.fingerprint());
        self.objects.get(&key).unwrap_or_else(|| {
            let mut lower: Option<(String, TokenCount)> = None;
            let objects = Fidelity::ALL.map(|fidelity| {
                // With what follows it in a list, since a token may reach over the end.
                let line = definition.text(fidelity) + ",\n";
                let tokens =
                    lower.take().filter(|(same, _)| *same == line).map_or_else(|| file.count(&line), |(_, tokens)| tokens);
                lower = Some((line, tokens));
                tokens
            });
            self.objects.put(key, objects);
            objects
        })
    }
}

impl Counted {
    /// What the lines of `definition` cost within a directory.
    pub(super) fn lines(&self, definition: &Definition<'_>, counter: &Counter) -> Lines {
        let entry = definition.entry;
        let base = Line::ALL.map(|line| entry.line_tokens(line, counter.base()));
        let Kind::File(file) = counter.kind() else { return base.map(|base| counter.cost(base, String::new)) };
        let key = (definition.tenant.clone(), entry.text_hash(), *counter.fingerprint());
        self.lines.get(&key).unwrap_or_else(|| {
            let lines = Line::ALL.map(|line| file.count(&format!("{}\n", entry.line(line))));
            self.lines.put(key, lines);
            lines
        })
    }
}

/// What texts that have `base` tokens in all come to by `counter`. By a file they would all have to be counted, so that scales as the
/// `sample` does, which has each text's count beside its base.
pub(super) fn total(base: u64, sample: impl Iterator<Item = (TokenCount, TokenCount)>, counter: &Counter) -> u64 {
    match counter.kind() {
        Kind::Exact(_) => base,
        Kind::Estimated(estimate) => estimate.of_total(base),
        Kind::File(_) => {
            let (counted, of) = sample.fold((0, 0), |(a, b), (x, y)| (a + u128::from(x.0), b + u128::from(y.0)));
            let scaled = (u128::from(base) * counted).checked_div(of);
            scaled.map_or(base, |scaled| u64::try_from(scaled).unwrap_or(u64::MAX))
        }
    }
}
