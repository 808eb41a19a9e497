//! Messages as proto JSON, straight from the contract's descriptors: there is no second set of structs to keep in step.

use std::sync::OnceLock;

use prost::Name;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};

use super::proto::DESCRIPTORS;

/// `message` as one line of JSON: proto field names, absent optionals left out, numbers as numbers.
///
/// # Errors
/// The descriptors do not know the message: a build fault.
pub fn to_json<M: Name>(message: &M) -> Result<String, String> {
    static POOL: OnceLock<Option<DescriptorPool>> = OnceLock::new();
    let pool =
        POOL.get_or_init(|| DescriptorPool::decode(DESCRIPTORS).ok()).as_ref().ok_or("the descriptor set does not decode")?;
    let descriptor = pool.get_message_by_name(&M::full_name()).ok_or_else(|| format!("{} is not described", M::full_name()))?;
    let mut dynamic = DynamicMessage::new(descriptor);
    dynamic.transcode_from(message).map_err(|e| e.to_string())?;
    let mut line = Vec::new();
    let options = SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(false).skip_default_fields(false);
    dynamic.serialize_with_options(&mut serde_json::Serializer::new(&mut line), &options).map_err(|e| e.to_string())?;
    String::from_utf8(line).map_err(|e| e.to_string())
}
