//! What a sentence has that a model would act on.
//!
//! Words, not meaning: a list of them is cheap, the same everywhere and can be argued with. They are English, Chinese, Japanese and
//! Korean, the languages of the public tools; in others the first sentence stays, and what shows values or formats.

/// What a sentence says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Signals {
    /// What not to do, or what has to be done before, or that it is needed or obsolete.
    pub(super) warns: bool,
    /// Values to choose from.
    pub(super) shows_values: bool,
    /// How a value is written.
    pub(super) shows_format: bool,
    /// Units and bounds.
    pub(super) limits: bool,
    /// What happens when nothing is given.
    pub(super) has_default: bool,
    /// What comes back.
    pub(super) is_about_results: bool,
}

const WARNINGS: &[&str] = &[
    "do not",
    "don't",
    "does not",
    "doesn't",
    "not use",
    "not be",
    "not for",
    "never",
    "must",
    "mustn't",
    "only",
    "instead",
    "avoid",
    "cannot",
    "can't",
    "deprecated",
    "obsolete",
    "required",
    "mandatory",
    "require",
    "requires",
    "unless",
    "except",
    "before using",
    "before calling",
    "first call",
    "call this first",
    "prerequisite",
    "mutually exclusive",
    "rather than",
    "not supported",
    "unsupported",
    "irreversible",
    "permanently",
    "always",
    "ignored",
];
const WIDE_WARNINGS: &[&str] = &[
    "不要",
    "不能",
    "不可",
    "请勿",
    "勿",
    "禁止",
    "严禁",
    "必须",
    "务必",
    "必需",
    "必填",
    "仅",
    "只能",
    "只有",
    "已弃用",
    "废弃",
    "ないで",
    "禁止",
    "必須",
    "のみ",
    "してください",
    "非推奨",
    "마세요",
    "금지",
    "반드시",
    "필수",
    "전용",
    "지원하지",
];
const VALUES: &[&str] = &[
    "one of",
    "options",
    "possible values",
    "valid values",
    "allowed values",
    "accepted values",
    "supported values",
    "available values",
    "values:",
    "valid options",
    "can be",
    "either",
    "allowed",
    "accepts",
];
const WIDE_VALUES: &[&str] = &["可选值", "取值", "可选", "枚举", "のいずれか", "指定可能", "선택", "가능한 값", "중 하나"];
const FORMATS: &[&str] = &[
    "e.g",
    "i.e",
    "for example",
    "example",
    "examples",
    "format",
    "formatted",
    "iso",
    "yyyy",
    "utc",
    "timezone",
    "separated",
    "delimited",
    "regex",
    "regular expression",
    "base64",
    "json",
    "encoded",
    "absolute path",
    "relative path",
    "syntax",
    "prefix",
    "wildcard",
    "such as",
];
const WIDE_FORMATS: &[&str] = &[
    "格式",
    "例如",
    "比如",
    "形如",
    "示例",
    "分隔",
    "逗号",
    "形式",
    "フォーマット",
    "例えば",
    "例:",
    "例：",
    "カンマ",
    "형식",
    "예:",
    "예를",
    "쉼표",
];
const LIMITS: &[&str] = &[
    "max",
    "maximum",
    "min",
    "minimum",
    "at most",
    "at least",
    "up to",
    "limit",
    "limits",
    "limited",
    "between",
    "range",
    "greater than",
    "less than",
    "no more than",
    "exceed",
    "seconds",
    "milliseconds",
    "ms",
    "minutes",
    "hours",
    "days",
    "bytes",
    "kb",
    "mb",
    "gb",
    "percent",
    "percentage",
    "pixels",
    "px",
    "degrees",
    "celsius",
    "fahrenheit",
    "meters",
    "metres",
    "kilometers",
    "miles",
    "km",
    "cents",
    "usd",
    "characters",
    "tokens",
    "inclusive",
    "exclusive",
    "positive",
    "zero-based",
    "0-based",
    "1-based",
    "0-indexed",
    "1-indexed",
];
const WIDE_LIMITS: &[&str] = &[
    "最大",
    "最小",
    "最多",
    "至少",
    "上限",
    "范围",
    "单位",
    "不超过",
    "秒",
    "毫秒",
    "分钟",
    "字节",
    "像素",
    "範囲",
    "以内",
    "以下",
    "最大",
    "최대",
    "최소",
    "이하",
    "이상",
    "단위",
    "초",
];
const DEFAULTS: &[&str] = &[
    "default",
    "defaults",
    "if not provided",
    "if not specified",
    "if omitted",
    "if empty",
    "when omitted",
    "if not set",
    "if unspecified",
    "optional",
];
const WIDE_DEFAULTS: &[&str] = &["默认", "缺省", "預設", "デフォルト", "既定", "省略", "기본", "생략"];
const RESULTS: &[&str] = &[
    "return",
    "returns",
    "the response",
    "the result",
    "the output",
    "output",
    "outputs",
    "results",
    "this returns",
    "it returns",
    "responds",
    "response",
    "provides",
];

impl Signals {
    /// Those of `sentence`.
    pub(super) fn of(sentence: &str) -> Self {
        let lower = sentence.to_lowercase();
        let is_wide = !lower.is_ascii();
        let has = |words: &[&str], wide: &[&str]| {
            words.iter().any(|word| has_word(&lower, word)) || (is_wide && wide.iter().any(|word| lower.contains(word)))
        };
        let begins = |words: &[&str]| words.iter().any(|word| lower.starts_with(word));
        Self {
            warns: has(WARNINGS, WIDE_WARNINGS),
            shows_values: has(VALUES, WIDE_VALUES) || 2 <= quoted(sentence),
            shows_format: has(FORMATS, WIDE_FORMATS) || has_date(&lower),
            limits: has(LIMITS, WIDE_LIMITS) || lower.contains('%'),
            has_default: has(DEFAULTS, WIDE_DEFAULTS),
            is_about_results: begins(RESULTS),
        }
    }

    /// Whether it says how to fill in an argument.
    pub(super) fn fills_in(self) -> bool {
        self.warns || self.shows_values || self.shows_format || self.limits || self.has_default
    }
}

/// Whether `text` holds `word` with no letter before or behind it.
fn has_word(text: &str, word: &str) -> bool {
    let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphabetic() || !c.is_ascii());
    text.match_indices(word).any(|(at, _)| {
        let (before, behind) = (text.get(..at).unwrap_or_default(), text.get(at + word.len()..).unwrap_or_default());
        is_edge(before.chars().next_back()) && is_edge(behind.chars().next())
    })
}

/// Values in quotes or code.
fn quoted(text: &str) -> usize {
    let pairs: usize = ['"', '`'].iter().map(|mark| text.matches(*mark).count() / 2).sum();
    // An apostrophe is no quote: one that opens stands behind a blank or a bracket.
    let single = text
        .match_indices('\'')
        .filter(|(at, _)| *at == 0 || text.get(..*at).is_some_and(|before| before.ends_with([' ', '(', '[', ',', '/', ':'])));
    pairs + single.count()
}

/// A date or a time in digits, as in `2024-01-31`.
fn has_date(text: &str) -> bool {
    text.as_bytes().windows(4).any(
        |four| matches!(four, [a, b, b'-' | b':' | b'/', c] if a.is_ascii_digit() && b.is_ascii_digit() && c.is_ascii_digit()),
    )
}
