//! Where a server is, and what is needed to talk to it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A program that speaks over its standard input and output.
    Command(Command),
    /// A URL that speaks streamable HTTP.
    Http(Http),
}

/// A program to run.
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    /// The program, by path or to be found in `PATH`.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its whole environment. The router's own is not handed on: it may hold secrets that are none of the server's business.
    pub environment: BTreeMap<OsString, OsString>,
    /// Its working folder. `None`: the router's.
    pub folder: Option<PathBuf>,
}

/// A URL to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// `http://` or `https://`.
    pub url: String,
    /// File with a header a line, `Name: value`; read at every connection, so that a token may be renewed.
    pub headers_file: Option<PathBuf>,
    /// Certificate authority to trust beside the system's, PEM.
    pub ca_file: Option<PathBuf>,
}

/// Values of an environment are often secrets; names are not.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.environment.keys().collect();
        f.debug_struct("Command")
            .field("program", &self.program)
            .field("arguments", &self.arguments)
            .field("environment", &names)
            .field("folder", &self.folder)
            .finish()
    }
}

/// For people: the command line, or the URL without what may be secret in it.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => {
                f.write_str(&command.program)?;
                command.arguments.iter().try_for_each(|argument| write!(f, " {argument}"))
            }
            Self::Http(http) => f.write_str(&shown(&http.url)),
        }
    }
}

impl Endpoint {
    /// Host and port of a URL; `None` for a program.
    #[must_use]
    pub fn host(&self) -> Option<(String, u16)> {
        let Self::Http(http) = self else { return None };
        let url = reqwest::Url::parse(&http.url).ok()?;
        Some((url.host_str()?.to_owned(), url.port_or_known_default()?))
    }
}

/// A URL without user, password, query and fragment.
pub(super) fn shown(url: &str) -> String {
    let Ok(mut parsed) = reqwest::Url::parse(url) else { return "(not a URL)".to_owned() };
    parsed.set_query(None);
    parsed.set_fragment(None);
    // Fails where there can be no user, and then there is none.
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    parsed.to_string()
}

impl Http {
    /// What is wrong with the URL, in words that follow its name.
    ///
    /// # Errors
    /// Not a URL, or not one of HTTP.
    pub fn check_url(url: &str) -> Result<(), String> {
        match reqwest::Url::parse(url) {
            Ok(parsed) if !matches!(parsed.scheme(), "http" | "https") => {
                Err(format!("has the scheme {:?}, it must be http or https", parsed.scheme()))
            }
            Ok(parsed) if parsed.host_str().is_none() => Err("names no host".to_owned()),
            Ok(_) => Ok(()),
            Err(e) => Err(format!("is not a URL: {e}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let http = Http { url: "https://me:pw@host.example/mcp?key=secret#x".into(), headers_file: None, ca_file: None };
        let http = Endpoint::Http(http);
        assert_eq!((http.to_string().as_str(), http.host()), ("https://host.example/mcp", Some(("host.example".into(), 443))));
        let environment = [("TOKEN".into(), "secret".into())].into();
        let command = Command { program: "npx".into(), arguments: vec!["-y".into()], environment, folder: None };
        assert!(!format!("{command:?}").contains("secret"));
        assert_eq!(Endpoint::Command(command).to_string(), "npx -y");
    }

    #[test]
    fn a_url_is_checked() {
        let check = |url, words: &str| assert!(Http::check_url(url).unwrap_err().contains(words), "{url}");
        check("ftp://host/x", "it must be http or https");
        check("host/mcp", "is not a URL");
        assert_eq!(Http::check_url("http://127.0.0.1:3000/mcp"), Ok(()));
    }
}
