//! What looks alike and what does not, and the limits of what is told.

use std::sync::Arc;

use super::*;
use crate::catalog::{Record, Version};
use crate::index::vector::{Codes, UnitVector};
use crate::tool::{Document, ModelName, TenantId, Tool};

fn entry(position: u64, source: &str, name: &str, description: &str, vector: Option<[f32; 2]>) -> Arc<Entry> {
    let tool = Tool {
        id: ToolId::new(source, name).unwrap(),
        title: None,
        description: description.to_owned(),
        input_schema: Document::parse(r#"{"type":"object","properties":{"id":{}}}"#).unwrap(),
        output_schema: None,
        annotations: None,
        extra: None,
        domain: None,
        tags: Vec::new(),
        examples: Vec::new(),
    };
    let codes = vector.and_then(|numbers| UnitVector::new(numbers.to_vec())).map(|vector| Codes::quantise(&vector));
    let model_name = ModelName::choose(&tool.id, |_| false);
    Arc::new(Entry::new(Record::fresh(tool, model_name, position), |_| codes.clone()))
}

/// What the last of `tools` looks like.
fn last_looks_like(tools: Vec<Arc<Entry>>) -> Vec<LookAlike> {
    let last = tools.last().unwrap().record.tool.id.clone();
    let catalog = TenantCatalog::build(TenantId::default(), Version::default(), tools, 2);
    find(&catalog, &[last], || false).told
}

#[track_caller]
fn check(one: (&str, &str, &str), other: (&str, &str, &str), expected: bool) {
    for (a, b) in [(one, other), (other, one)] {
        let found = last_looks_like(vec![entry(0, a.0, a.1, a.2, None), entry(1, b.0, b.1, b.2, None)]);
        assert_eq!(!found.is_empty(), expected, "{a:?} {b:?} {found:?}");
        assert!(found.iter().all(|l| l.other.source() == a.0 && l.similarity.is_none()));
    }
}

#[test]
fn words_decide_where_there_are_no_vectors() {
    check(("a", "search_contacts", "Searches contacts."), ("b", "contactsSearch", "Searches all contacts."), true);
    check(("a", "search", "Searches mail for a text."), ("b", "search", "Looks in the wiki."), false);
    check(("a", "search", ""), ("b", "search", ""), true);
    check(("a", "get_labels", "Get all labels of an account"), ("b", "label_list", "Get all labels of an account."), true);
    check(("a", "get_labels", "Get all labels of an account"), ("b", "get_tasks", "Get all tasks of an account."), false);
    check(("a", "one", "List all"), ("b", "two", "List all"), false);
    check(("a", "get_user", "Gets one user of the account."), ("a", "get_users", "Gets the users of an account."), false);
    check(("a", "set_title", "Returns true when it was updated."), ("a", "set_text", "Returns true when it was updated."), true);
}

#[test]
fn under_one_name_the_same_in_other_words_is_a_look_alike() {
    let near = |vector| {
        last_looks_like(vec![
            entry(0, "a", "search", "Finds people.", Some([1.0, 0.0])),
            entry(1, "b", "search", "Looks up a person.", Some(vector)),
        ])
    };
    let found = near([1.0, 0.5]);
    assert!(found[0].same_name && found[0].shared_words < 0.5 && 0.85 < found[0].similarity.unwrap());
    assert_eq!(near([0.5, 1.0]), []);
    let other_name =
        vec![entry(0, "a", "search", "Finds people.", Some([1.0, 0.0])), entry(1, "b", "get", "Looks up.", Some([1.0, 0.0]))];
    assert_eq!(last_looks_like(other_name), [], "the model alone does not tell tools of other names apart");
}

#[test]
fn a_pair_is_told_once_and_the_closest_first() {
    let tools: Vec<_> = (0..4).map(|i| entry(i, &format!("s{i}"), "search", "Finds people.", None)).collect();
    let catalog = TenantCatalog::build(TenantId::default(), Version::default(), tools, 2);
    let ids: Vec<ToolId> = (0..4).map(|i| ToolId::new(&format!("s{i}"), "search").unwrap()).collect();
    let found = find(&catalog, &ids, || false);
    assert_eq!((found.all, found.told.len()), (6, 6));
    assert_eq!((found.told[0].tool.source(), found.told[0].other.source()), ("s0", "s1"));
    assert_eq!(find(&catalog, &ids, || true), LookAlikes::default(), "whoever has gone is told nothing");
    assert_eq!(find(&catalog, &[ToolId::new("s", "gone").unwrap()], || false), LookAlikes::default());
}

#[test]
fn a_copied_catalogue_is_told_in_part() {
    let of = |source: &'static str, from: u64| {
        (0..150)
            .map(move |i| entry(from + i, source, &format!("tool_{i}"), &format!("Does the thing number {i} to word{i}"), None))
    };
    let tools = of("a", 0).chain(of("b", 150)).collect();
    let catalog = TenantCatalog::build(TenantId::default(), Version::default(), tools, 2);
    let ids: Vec<ToolId> = (0..150).map(|i| ToolId::new("b", &format!("tool_{i}")).unwrap()).collect();
    let found = find(&catalog, &ids, || false);
    assert_eq!((found.all, found.told.len()), (150, MOST_TOLD));
    assert!(found.told.iter().all(|l| l.tool.name() == l.other.name() && l.other.source() == "a" && l.same_name));
}

#[test]
fn shares_of_words_equal_counting_them() {
    let check = |a: &str, b: &str, expected: f32| {
        assert!((Words::of(a).shared(&Words::of(b)) - expected).abs() < 1e-6, "{a:?} {b:?}");
        assert!((Words::of(b).shared(&Words::of(a)) - expected).abs() < 1e-6, "{b:?} {a:?}");
    };
    check("", "", 1.0);
    check("a", "", 0.0);
    check("a b c", "c b a a", 1.0);
    check("a b", "b c", 1.0 / 3.0);
}
