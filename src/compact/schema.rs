//! Two shorter forms of a JSON Schema: LEAN says the same with less, SKELETON keeps what a call is made of.
//!
//! Both keep names, types, `required`, enum values and the nested shape, and accept all that the original accepts. LEAN is made in
//! steps, each with its reason ([`Step`]); `tool-router diet` prints what each of them saves. Most of them accept exactly the same;
//! two drop constraints and so accept more, which only holds where weakening a part weakens the whole. Hence under `not`, `if`,
//! `oneOf` and `contains` LEAN keeps every constraint, and SKELETON drops `not` and `if`/`then`/`else` altogether and shows
//! `oneOf` as `anyOf` (two branches that differed by `format` alone would otherwise be equal, and no call could match exactly one
//! of them).
//!
//! Schemas that cannot be rewritten safely are shown as they are: `references` says when. Nothing here panics or recurses deeper
//! than the schema is nested, and all of it takes time in proportion to the schema's size.

mod choices;
mod keywords;
mod lean;
mod limits;
mod references;
mod skeleton;
mod steps;

use self::keywords::{Members, Place, map_within};
use self::references::Freedom;
pub use self::steps::{Step, Steps};
use crate::json::Json;

/// One rewriting may make another possible, a definition written in place one of a union; real schemas are done after two rounds.
const ROUNDS: usize = 6;

/// The same schema with less said. Accepts at least the same arguments.
#[must_use]
pub fn lean(schema: &Json) -> Json {
    lean_by(schema, Steps::ALL)
}

/// [`lean()`] by some of its steps.
#[must_use]
pub(super) fn lean_by(schema: &Json, steps: Steps) -> Json {
    let once = |schema: &Json| {
        // Anew each time: what was dropped may have been what stood in the way.
        let freedom = Freedom::of(schema);
        if freedom.stays_whole {
            return schema.clone();
        }
        let root = Place::root(freedom.weaken);
        // Before and after: a definition may belong at the root, where more stays, and cleaning may be what lets one go in place.
        let place = |schema: &Json| {
            if freedom.shape && steps.has(Step::References) { references::in_place(schema) } else { schema.clone() }
        };
        let placed = place(&at_root(&place(schema), |members| lean::clean(members, root, steps)));
        at_root(&placed, |members| simplify(members, root, freedom.shape, Some(steps)))
    };
    until_settled(schema, once)
}

/// Whether LEAN leaves out constraints of `schema`: arguments may pass that the publisher's schema refuses.
pub(super) fn lean_weakens(schema: &Json) -> bool {
    lean_by(schema, Steps::ALL.without(Step::Closed).without(Step::Limits)) != lean(schema)
}

/// Names, types, required, enums and nested shape; nothing else. Accepts at least the same arguments.
#[must_use]
pub fn skeleton(schema: &Json) -> Json {
    let root = Place::root(true);
    let once = |schema: &Json| {
        let freedom = Freedom::of(schema);
        if freedom.stays_whole {
            return schema.clone();
        }
        // Before as well, as above; and a branch that takes nothing is known by what stripping drops.
        let placed = if freedom.shape { references::in_place(schema) } else { schema.clone() };
        let stripped = at_root(&placed, |members| skeleton::strip(members, root, freedom.shape));
        let shape = Freedom::of(&stripped).shape;
        let placed = if shape { references::in_place(&stripped) } else { stripped };
        at_root(&placed, |members| simplify(members, root, shape, None))
    };
    until_settled(schema, once)
}

fn at_root(schema: &Json, f: impl FnOnce(&Members) -> Vec<(String, Json)>) -> Json {
    schema.as_object().map_or_else(|| schema.clone(), |members| Json::Object(f(members)))
}

fn until_settled(schema: &Json, once: impl Fn(&Json) -> Json) -> Json {
    let mut now = once(schema);
    for _ in 1..ROUNDS {
        let next = once(&now);
        if next == now {
            break;
        }
        now = next;
    }
    now
}

/// Choices and limits, the innermost first. SKELETON has no steps, and no limits left.
fn simplify(members: &Members, place: Place<'_>, shape: bool, steps: Option<Steps>) -> Vec<(String, Json)> {
    let inner = |(keyword, value): &(String, Json)| {
        (keyword.clone(), map_within(keyword, value, place, &|members, place| simplify(members, place, shape, steps)))
    };
    let mut out: Vec<_> = members.iter().map(inner).collect();
    let has = |step| steps.is_none_or(|steps| steps.has(step));
    if shape {
        out = choices::rewrite(out, has(Step::Constants), has(Step::Unions));
    }
    match steps {
        Some(steps) => limits::rewrite(out, place, steps),
        None => out,
    }
}

#[cfg(test)]
mod tests;
