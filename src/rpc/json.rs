//! Messages as proto JSON, straight from the contract's descriptors: there is no second set of structs to keep in step.

use std::sync::OnceLock;

use prost::Name;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};

use super::proto::DESCRIPTORS;

/// `message` as one line of JSON: proto field names, absent optionals left out, numbers as numbers.
///
/// # Errors
/// The descriptors do not know the message: a build fault.
pub fn to_json<M: Name>(message: &M) -> Result<String, String> {
    let mut dynamic = DynamicMessage::new(descriptor::<M>()?);
    dynamic.transcode_from(message).map_err(|e| e.to_string())?;
    let mut line = Vec::new();
    let options = SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(false).skip_default_fields(false);
    dynamic.serialize_with_options(&mut serde_json::Serializer::new(&mut line), &options).map_err(|e| e.to_string())?;
    String::from_utf8(line).map_err(|e| e.to_string())
}

/// The message that [`to_json`] wrote.
///
/// # Errors
/// It is no such message; a field that this build does not know.
pub fn from_json<M: Name + Default>(text: &str) -> Result<M, String> {
    let mut json = serde_json::Deserializer::from_str(text);
    let dynamic = DynamicMessage::deserialize(descriptor::<M>()?, &mut json).map_err(|e| e.to_string())?;
    json.end().map_err(|e| e.to_string())?;
    dynamic.transcode_to().map_err(|e| e.to_string())
}

fn descriptor<M: Name>() -> Result<MessageDescriptor, String> {
    static POOL: OnceLock<Option<DescriptorPool>> = OnceLock::new();
    let pool =
        POOL.get_or_init(|| DescriptorPool::decode(DESCRIPTORS).ok()).as_ref().ok_or("the descriptor set does not decode")?;
    pool.get_message_by_name(&M::full_name()).ok_or_else(|| format!("{} is not described", M::full_name()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rpc::proto;

    proptest! {
        /// A replay record keeps requests so, and every bit of a number may matter.
        #[test]
        fn what_is_written_is_read(query in ".{0,20}", bits in any::<u32>(), most in any::<u32>(), allow in 0_usize..3) {
            let tool = proto::ToolRef { source: "s".into(), tool: query.clone() };
            let message = proto::SelectToolsRequest {
                input: Some(proto::select_tools_request::Input::Query(query)),
                min_confidence: Some(f32::from_bits(bits)).filter(|number| number.is_finite()),
                budget: Some(proto::Budget { max_tokens: Some(most), ..Default::default() }),
                scope: Some(proto::Scope { allow: vec![tool; allow], ..Default::default() }),
                ..Default::default()
            };
            prop_assert_eq!(from_json::<proto::SelectToolsRequest>(&to_json(&message).unwrap()).unwrap(), message);
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let check = |text: &str| assert!(from_json::<proto::SelectToolsRequest>(text).is_err(), "{text}");
        check("");
        check("[]");
        check(r#"{"query":5}"#);
        check(r#"{"query":"x","quarry":"y"}"#);
        check(r#"{"query":"x"} more"#);
    }
}
