//! Who this router is to those who watch it: the resource of its spans and metrics, and the same fields in each log line.

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;

/// Names of a router among other services and its replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `service.name`.
    pub service: String,
    /// `service.namespace`; empty for none.
    pub namespace: String,
    /// `service.instance.id`: no two routers have the same.
    pub instance: String,
    /// `deployment.environment.name`; empty for none.
    pub environment: String,
    /// More attributes of the resource.
    pub more: Vec<(String, String)>,
}

impl Default for Identity {
    fn default() -> Self {
        let (service, none) = ("tool-router".to_owned(), String::new);
        Self { service, namespace: none(), instance: drawn(), environment: none(), more: Vec::new() }
    }
}

impl Identity {
    /// Names with their values, those that are set.
    pub(super) fn attributes(&self) -> Vec<(String, String)> {
        let known = [
            ("service.name", self.service.as_str()),
            ("service.namespace", &self.namespace),
            ("service.instance.id", &self.instance),
            ("service.version", env!("CARGO_PKG_VERSION")),
            ("deployment.environment.name", &self.environment),
        ];
        let known =
            known.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut all: Vec<(String, String)> = known.collect();
        for (name, value) in &self.more {
            if all.iter().all(|(known, _)| known != name) {
                all.push((name.clone(), value.clone()));
            }
        }
        all
    }

    pub(super) fn resource(&self) -> Resource {
        Resource::builder_empty()
            .with_attributes(self.attributes().into_iter().map(|(name, value)| KeyValue::new(name, value)))
            .build()
    }
}

/// An id of 128 random bits in the form of a UUID, version 4, as the convention wants it.
fn drawn() -> String {
    let bits = rand::random::<u128>() & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_ids_are_uuids_of_version_4() {
        for id in std::iter::repeat_with(drawn).take(200) {
            let lengths: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!((lengths, id.as_bytes()[14]), (vec![8, 4, 4, 4, 12], b'4'), "{id}");
            assert!(b"89ab".contains(&id.as_bytes()[19]), "{id}");
        }
        assert_ne!(drawn(), drawn());
    }

    #[test]
    fn what_is_not_set_is_left_out_and_nothing_is_said_twice() {
        let more = vec![("service.name".to_owned(), "other".to_owned()), ("team".to_owned(), "agents".to_owned())];
        let identity = Identity { instance: "i".into(), more, ..Identity::default() };
        let named: Vec<String> = identity.attributes().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let version = concat!("service.version=", env!("CARGO_PKG_VERSION"));
        assert_eq!(named, ["service.name=tool-router", "service.instance.id=i", version, "team=agents"]);
    }
}
