//! Whether a turn leans on earlier ones, by its words: it asks for the same again, it refers, or it says too little to stand alone.
//!
//! Lists, not a grammar, in English, Korean, Chinese and Japanese. A word that refers counts only near the beginning: behind a few words with
//! a meaning of their own it refers to those ("find the invoice and convert it"). What is thought to lean and does not costs little, since
//! the subject's vectors are asked too; what leans and is not seen to is searched as it stands.

use super::words;
use crate::index::terms;
use crate::rank::Conversation;

/// Words of a turn that are looked at: who refers does so early.
const LOOKED_AT: usize = 60;
/// Behind so many words with a meaning of their own, a word refers to those.
const ANTECEDENTS: usize = 3;
/// With more words than this times the thin ones, "the same" and "again" speak of what is in the turn itself.
const LONG: usize = 2;

/// How a turn leans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lean {
    /// It stands alone.
    #[default]
    No,
    /// It says too little to stand alone.
    Thin,
    /// It has a word that refers, or goes on from what was said.
    Refers,
    /// It cannot be understood alone: "the same for Oslo", "no, I meant the other", "yes, do it".
    Hangs,
}

/// What can be seen of a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// How it leans.
    pub lean: Lean,
    /// Whether it says that what was done was wrong.
    pub corrects: bool,
}

/// Put before the words that matter.
const FILLERS: [&str; 14] =
    ["ok", "okay", "so", "hmm", "well", "great", "thanks", "please", "now", "hey", "oh", "and", "alright", "then"];
/// Beginnings that hang on what was said, in words.
const HANGING_STARTS: [&str; 27] = [
    "what about",
    "how about",
    "same",
    "the same",
    "again",
    "once more",
    "one more",
    "another one",
    "repeat",
    "likewise",
    "instead",
    "rather",
    "yes",
    "yep",
    "sure",
    "go ahead",
    "go on",
    "do so",
    "try again",
    "no",
    "nope",
    "not",
    "wrong",
    "i meant",
    "i mean",
    "ditto",
    "make that",
];
/// Beginnings that go on from what was said.
const GOING_ON: [&str; 9] = ["and", "also", "then", "now", "but", "or", "plus", "next", "actually"];
/// They hang wherever they stand.
const HANGING: [&str; 13] = [
    "same",
    "again",
    "instead",
    "once more",
    "one more time",
    "as before",
    "as well",
    "this time",
    "like before",
    "that again",
    "i meant",
    "rather than",
    "too",
];
/// They say that something was wrong.
const CORRECTING: [&str; 11] = [
    "i meant",
    "i mean",
    "not that",
    "that's not",
    "that is not",
    "thats not",
    "wrong",
    "not what i",
    "rather than",
    "instead of",
    "i wanted",
];
/// Beginnings that say so.
const CORRECTING_STARTS: [&str; 4] = ["no", "nope", "not", "wrong"];
/// Words that refer.
const REFERRING: [&str; 24] = [
    "it", "its", "those", "these", "them", "they", "their", "he", "she", "him", "his", "her", "this", "that", "former", "latter",
    "previous", "earlier", "above", "others", "another", "one", "ones", "there",
];
/// "This" before these, and "that", speak of time.
const TIMES: [&str; 14] = [
    "week",
    "weekend",
    "month",
    "year",
    "morning",
    "afternoon",
    "evening",
    "night",
    "quarter",
    "summer",
    "winter",
    "spring",
    "season",
    "time",
];
/// "That" before these is a pronoun; elsewhere it may begin a clause.
const BEHIND_PRONOUN: [&str; 14] = ["to", "for", "in", "on", "with", "by", "from", "at", "as", "of", "into", "and", "or", "one"];
/// "One" behind these refers; elsewhere it is a number.
const BEFORE_ONE: [&str; 12] =
    ["this", "that", "the", "first", "second", "last", "other", "another", "new", "next", "same", "which"];
/// A turn of these, and of what may stand around them, is thanks or a greeting, which asks for nothing.
const COURTESY: [&str; 21] = [
    "thanks",
    "thank",
    "great",
    "ok",
    "okay",
    "cool",
    "nice",
    "perfect",
    "good",
    "awesome",
    "hello",
    "hi",
    "hey",
    "bye",
    "goodbye",
    "lol",
    "haha",
    "helpful",
    "understood",
    "wonderful",
    "excellent",
];
/// What may stand around them.
const AROUND_COURTESY: [&str; 24] = [
    "you", "well", "done", "job", "very", "much", "so", "that", "s", "is", "it", "was", "got", "i", "see", "all", "for", "now",
    "a", "lot", "the", "help", "your", "morning",
];
/// The same in other languages, with which such a turn begins.
const COURTESY_STARTS: [&str; 14] = [
    "감사",
    "고마",
    "고맙",
    "안녕",
    "수고",
    "谢谢",
    "謝謝",
    "多谢",
    "你好",
    "再见",
    "再見",
    "ありがと",
    "こんにちは",
    "さようなら",
];
/// Hanging anywhere in a short text of scripts without blanks.
const HANGING_PIECES: [&str; 31] = [
    "다시",
    "똑같",
    "같은",
    "말고",
    "대신",
    "그럼",
    "그러면",
    "이번엔",
    "이번에",
    "아니라",
    "한번 더",
    "同样",
    "同樣",
    "一样",
    "一樣",
    "再来",
    "再來",
    "换成",
    "換成",
    "改成",
    "改为",
    "改為",
    "不是",
    "不对",
    "不對",
    "同じ",
    "もう一度",
    "代わりに",
    "じゃなく",
    "ではなく",
    "違う",
];
/// Referring anywhere in them.
const REFERRING_PIECES: [&str; 38] = [
    "그거",
    "그것",
    "그걸",
    "그게",
    "그건",
    "이거",
    "이것",
    "이걸",
    "이건",
    "저거",
    "저것",
    "거기",
    "여기에",
    "방금",
    "아까",
    "它",
    "这个",
    "那个",
    "这些",
    "那些",
    "這個",
    "那個",
    "這些",
    "其中",
    "刚才",
    "剛才",
    "上面",
    "还有",
    "還有",
    "それ",
    "これ",
    "あれ",
    "その",
    "この",
    "そこ",
    "さっき",
    "先ほど",
    "ほかの",
];
/// Korean words that refer when they stand alone.
const REFERRING_SYLLABLES: [&str; 3] = ["그", "이", "저"];
/// Endings of a turn that hang: "and Oslo?".
const HANGING_ENDS: [&str; 9] = ["는요", "은요", "는", "은", "도", "呢", "は", "も", "也"];
/// With more characters than this in such scripts a text says enough for pieces to refer to itself.
const SHORT_CHARS: usize = 16;
/// They correct.
const CORRECTING_PIECES: [&str; 11] =
    ["아니,", "아니요", "아니라", "말고", "不是", "不对", "不對", "じゃなく", "ではなく", "違う", "いや"];

/// How `turn` leans. `rarity` is that of [`super::condense`].
pub fn read(turn: &str, rarity: impl Fn(&str) -> f32, numbers: &Conversation) -> Reading {
    let lower = turn.to_lowercase().replace('\u{2019}', "'");
    let tokens: Vec<&str> = tokens(&lower);
    if is_courtesy(&tokens, lower.trim()) {
        return Reading::default();
    }
    let content = words::words(turn, |pair| 0.0 < rarity(pair));
    let says_little = content.len() <= numbers.thin_words;
    let unspaced = turn.chars().filter(|c| terms::is_unspaced(*c)).take(SHORT_CHARS + 1).count();
    let is_short = unspaced <= SHORT_CHARS && content.len() <= LONG * numbers.thin_words;
    let corrects = is_short && corrects(&tokens, &lower);
    let hangs = is_short && hangs(&tokens, &lower);
    let rarest = || content.iter().flat_map(|word| &word.terms).map(|term| rarity(term)).fold(0.0_f32, f32::max);
    let lean = if hangs || corrects {
        Lean::Hangs
    } else if refers(&tokens, &lower) {
        Lean::Refers
    } else if content.is_empty() || says_little && rarest() <= numbers.thin_rarity {
        Lean::Thin
    } else {
        Lean::No
    };
    Reading { lean, corrects }
}

/// The first words, marks between them left as words of their own where a sentence may end.
fn tokens(lower: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '\'';
    let pieces = lower.split_inclusive(|c: char| !is_word(c)).flat_map(|piece| {
        let word = piece.trim_end_matches(|c| !is_word(c));
        [word, piece.get(word.len()..).unwrap_or_default()]
    });
    pieces.filter(|piece| !piece.trim().is_empty()).take(LOOKED_AT).collect()
}

fn is_word(token: &str) -> bool {
    token.starts_with(char::is_alphanumeric)
}

/// Whether the words of `phrase` stand in `tokens` from `at` on.
fn stands_at(tokens: &[&str], at: usize, phrase: &str) -> bool {
    phrase.split(' ').enumerate().all(|(i, word)| tokens.get(at + i) == Some(&word))
}

fn stands(tokens: &[&str], phrase: &str) -> bool {
    (0..tokens.len()).any(|at| stands_at(tokens, at, phrase))
}

/// Where the first word stands that is no filler.
fn start(tokens: &[&str]) -> usize {
    tokens.iter().position(|token| is_word(token) && !FILLERS.contains(token)).unwrap_or(0)
}

fn is_courtesy(tokens: &[&str], lower: &str) -> bool {
    let words = || tokens.iter().flat_map(|token| token.split('\'')).filter(|token| is_word(token));
    let thanks = words().any(|word| COURTESY.contains(&word))
        && words().all(|word| COURTESY.contains(&word) || AROUND_COURTESY.contains(&word));
    let short = lower.chars().nth(SHORT_CHARS).is_none();
    thanks || short && COURTESY_STARTS.iter().any(|start| lower.starts_with(start))
}

fn corrects(tokens: &[&str], lower: &str) -> bool {
    let at = start(tokens);
    CORRECTING_STARTS.iter().any(|phrase| stands_at(tokens, at, phrase))
        || CORRECTING.iter().any(|phrase| stands(tokens, phrase))
        || CORRECTING_PIECES.iter().any(|piece| lower.contains(piece))
}

fn hangs(tokens: &[&str], lower: &str) -> bool {
    let at = start(tokens);
    let bare = lower.trim_end_matches(|c: char| !c.is_alphanumeric());
    HANGING_STARTS.iter().any(|phrase| stands_at(tokens, at, phrase))
        || HANGING.iter().any(|phrase| stands(tokens, phrase))
        || HANGING_PIECES.iter().any(|piece| lower.contains(piece))
        || bare.chars().last().is_some_and(terms::is_unspaced)
            && bare.chars().nth(SHORT_CHARS / 2).is_none()
            && HANGING_ENDS.iter().any(|end| bare.ends_with(end))
}

fn refers(tokens: &[&str], lower: &str) -> bool {
    if tokens.first().is_some_and(|first| GOING_ON.contains(first)) {
        return true;
    }
    let mut before = 0;
    for (at, token) in tokens.iter().enumerate() {
        let (previous, next) = (at.checked_sub(1).and_then(|at| tokens.get(at)), tokens.get(at + 1));
        let ends = next.is_none_or(|next| !is_word(next));
        let counts = match *token {
            "that" => {
                !next.is_some_and(|next| TIMES.contains(next))
                    && (before == 0 || ends || next.is_some_and(|n| BEHIND_PRONOUN.contains(n)))
            }
            "this" => !next.is_some_and(|next| TIMES.contains(next)),
            "one" | "ones" => previous.is_some_and(|previous| BEFORE_ONE.contains(previous)),
            "there" => ends,
            word => REFERRING.contains(&word),
        };
        if counts && before < ANTECEDENTS {
            return true;
        }
        before += words::words(token, |_| false).len();
    }
    let syllable = |token: &&str| REFERRING_SYLLABLES.contains(token);
    let short = lower.chars().filter(|c| terms::is_unspaced(*c)).nth(2 * SHORT_CHARS).is_none();
    tokens.iter().take(4).any(syllable) || short && REFERRING_PIECES.iter().any(|piece| lower.contains(piece))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, lean: Lean, corrects: bool) {
        // A catalogue in which every word of more than six letters is rare.
        let rarity = |term: &str| if 6 < term.len() { 1.0 } else { 0.3 };
        assert_eq!(read(text, rarity, &Conversation::default()), Reading { lean, corrects }, "{text}");
    }

    #[test]
    fn what_hangs_on_earlier_turns() {
        check("do the same for Oslo", Lean::Hangs, false);
        check("and what about tomorrow?", Lean::Hangs, false);
        check("again, with the other account", Lean::Hangs, false);
        check("yes, go ahead", Lean::Hangs, false);
        check("No, I meant the invoice, not the receipt", Lean::Hangs, true);
        check("that's not it: the calendar", Lean::Hangs, true);
        check("다시 해줘", Lean::Hangs, false);
        check("그거 말고 청구서", Lean::Hangs, true);
        check("同样的操作", Lean::Hangs, false);
        check("上海呢？", Lean::Hangs, false);
        check("同じことを大阪で", Lean::Hangs, false);
    }

    #[test]
    fn what_refers() {
        check("now close it", Lean::Refers, false);
        check("also assign them to Ann", Lean::Refers, false);
        check("send that to the team", Lean::Refers, false);
        check("which one is cheaper", Lean::Refers, false);
        check("그거 삭제해줘", Lean::Refers, false);
        check("把它发给小王", Lean::Refers, false);
        check("それを削除して", Lean::Refers, false);
    }

    #[test]
    fn what_stands_alone() {
        check("find the newest invoice of the customer and convert it to a document", Lean::No, false);
        check("search for documents that mention deprecated functions", Lean::No, false);
        check("what is the forecast for this weekend in Reykjavik", Lean::No, false);
        check("are there unresolved incidents in production", Lean::No, false);
        let long =
            "compare the temperature of two cities of the same country and climate over the last hundred years with error bars";
        check(long, Lean::No, false);
    }

    #[test]
    fn thanks_ask_for_nothing() {
        for thanks in
            ["Thanks!", "great, thank you very much", "ok cool", "that's perfect", "감사합니다", "谢谢", "ありがとうございます"]
        {
            check(thanks, Lean::No, false);
        }
        check("that one", Lean::Refers, false);
    }

    #[test]
    fn few_common_words_are_thin() {
        check("list open ones", Lean::Thin, false);
        check("show names", Lean::Thin, false);
        check("deploy kubernetes", Lean::No, false);
        check("...", Lean::Thin, false);
    }
}
