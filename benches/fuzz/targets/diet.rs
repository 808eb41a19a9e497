//! Any text as a schema: LEAN and SKELETON of it are schemas, stay as they are when made again, and keep every argument's name.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use tool_router::compact::{lean, skeleton};
use tool_router::json::Json;
use tool_router::tool::Document;

/// Names of arguments and which of them are required, by their path. References are followed and choices stand for their branches, so that
/// it says the same however a schema spells it.
struct Arguments<'a> {
    root: &'a Json,
    found: BTreeSet<String>,
    /// Schemas that may still be looked at: a reference to what refers to it twice doubles with each step.
    left: usize,
}

impl Arguments<'_> {
    /// Nothing where there are too many to look at.
    fn of(schema: &Json) -> Option<BTreeSet<String>> {
        let mut all = Arguments { root: schema, found: BTreeSet::new(), left: 5_000 };
        all.collect(schema, "", 0, 0);
        (0 < all.left).then_some(all.found)
    }

    fn collect(&mut self, schema: &Json, path: &str, depth: usize, hops: usize) {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 || 4 < depth || 64 < hops {
            return;
        }
        for (keyword, value) in schema.as_object().unwrap_or_default() {
            let list = value.as_array().unwrap_or_default();
            match keyword.as_str() {
                "required" => self.found.extend(list.iter().map(|name| format!("{path} requires {name}"))),
                "properties" => {
                    for (name, property) in value.as_object().unwrap_or_default() {
                        let path = format!("{path}/{name:?}");
                        self.collect(property, &path, depth + 1, 0);
                        self.found.insert(path);
                    }
                }
                "items" if value.as_object().is_some() => self.collect(value, &format!("{path}/[]"), depth + 1, 0),
                "anyOf" | "oneOf" | "allOf" => list.iter().for_each(|branch| self.collect(branch, path, depth, hops)),
                "$ref" => {
                    let pointer = value.as_str().and_then(|target| target.strip_prefix('#')).unwrap_or("/");
                    let target = pointer.split('/').skip(1).try_fold(self.root, |at, step| at.get(step));
                    target.into_iter().for_each(|target| self.collect(target, path, depth, hops + 1));
                }
                _ => {}
            }
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(document) = Document::parse(text) else { return };
    let schema = document.json();
    let expected = Arguments::of(&schema);
    for shorten in [lean, skeleton] {
        let shorter = shorten(&schema);
        let written = shorter.to_string();
        let read = Document::parse(&written).unwrap_or_else(|e| panic!("{written} is no schema: {e}"));
        assert_eq!(read.json(), shorter, "reads back as something else");
        assert_eq!(shorten(&shorter), shorter, "another time makes it shorter still");
        if let (Some(found), Some(expected)) = (Arguments::of(&shorter), &expected) {
            assert_eq!(&found, expected, "lost an argument: {written}");
        }
    }
});
