//! How much of a request is in letters that the model was not trained on.
//!
//! A model of Latin-script languages cuts Hangul or Cyrillic into single letters, and the cosine of such a text is noise: words, which are
//! compared letter by letter in any script, are all there is. So the weight of meaning falls, and that of words rises, with the share of
//! such letters. A Korean request that names an English tool keeps its English part.

use unicode_script::{Script, UnicodeScript};

/// The share of letters outside `scripts`, ISO 15924 codes, in `[0, 1]`; 0 for a text without letters, and for a model that reads all.
#[must_use]
pub fn unread_share(text: &str, scripts: &[String]) -> f32 {
    if scripts.is_empty() || text.is_ascii() {
        return 0.0;
    }
    let read: Vec<Script> = scripts.iter().filter_map(|code| Script::from_short_name(code)).collect();
    let (mut letters, mut unread) = (0_u32, 0_u32);
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        let script = c.script();
        letters += 1;
        unread += u32::from(!matches!(script, Script::Common | Script::Inherited) && !read.contains(&script));
    }
    if letters == 0 { 0.0 } else { unread as f32 / letters as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted_and_nothing_else() {
        let check = |text: &str, expected: f32| assert_eq!(unread_share(text, &["Latn".to_owned()]), expected, "{text}");
        check("", 0.0);
        check("2024-01-02 ✅", 0.0);
        check("résumé, naïve", 0.0);
        check("날씨", 1.0);
        check("какая погода", 1.0);
        check("ab 날씨!", 0.5);
        assert_eq!(unread_share("날씨", &[]), 0.0);
        assert_eq!(unread_share("날씨 ab", &["Latn".to_owned(), "Hang".to_owned()]), 0.0);
    }
}
