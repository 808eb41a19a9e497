//! What of the environment a server is given that the router starts: what programs need to run at all, and what was set for it. The rest
//! stays with the router; a token among it is none of the server's business.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

/// Handed on where they are set.
const HANDED_ON: [&str; 10] = ["HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER"];

/// The whole environment of a server: what is handed on, then `file`, then `set`; later ones win.
///
/// # Errors
/// The file is not usable, in words that follow its name.
#[expect(clippy::disallowed_methods, reason = "config/ is the one reader of the environment")]
pub fn for_server(set: &BTreeMap<String, String>, file: Option<&Path>) -> Result<BTreeMap<OsString, OsString>, String> {
    let handed_on = HANDED_ON.iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)));
    let mut environment: BTreeMap<OsString, OsString> = handed_on.collect();
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{} cannot be read: {e}", path.display()))?;
        for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty() && !line.starts_with('#')) {
            let (name, value) = line
                .split_once('=')
                .filter(|(name, _)| !name.trim().is_empty())
                .ok_or_else(|| format!("{}: line {number} is not of the form NAME=VALUE", path.display()))?;
            environment.insert(name.trim().into(), value.trim().into());
        }
    }
    environment.extend(set.iter().map(|(name, value)| (name.into(), value.into())));
    Ok(environment)
}

/// A variable of the router's own environment; one that is empty or no text counts as absent.
#[expect(clippy::disallowed_methods, reason = "config/ is the one reader of the environment")]
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_gets_what_was_set_and_little_else() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "# secrets\nTOKEN = abc=def\nMODE=file\n").unwrap();
        let set = [("MODE".to_owned(), "set".to_owned())].into();
        let environment = for_server(&set, Some(file.path())).unwrap();
        assert_eq!(environment[&OsString::from("TOKEN")], "abc=def");
        assert_eq!(environment[&OsString::from("MODE")], "set");
        assert!(environment.contains_key(&OsString::from("PATH")) && !environment.contains_key(&OsString::from("CARGO")));
        std::fs::write(file.path(), "=x").unwrap();
        assert!(for_server(&set, Some(file.path())).unwrap_err().ends_with("line 1 is not of the form NAME=VALUE"));
    }
}
