//! Compiles the wire contract with protox, so no protoc is needed, and leaves the descriptor set for reflection and `--json`.

use prost::Message;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = [
        "proto/toolrouter/v1/tool.proto",
        "proto/toolrouter/v1/router.proto",
        "proto/toolrouter/v1/catalog.proto",
        "proto/toolrouter/v1/sources.proto",
        "proto/toolrouter/v1/calls.proto",
        "proto/toolrouter/v1/operations.proto",
    ];
    for file in files {
        println!("cargo:rerun-if-changed={file}");
    }
    let descriptors = protox::compile(files, ["proto"])?;
    #[expect(clippy::disallowed_methods, reason = "cargo hands the folder over in the environment")]
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("toolrouter_descriptor.bin"), descriptors.encode_to_vec())?;
    let mut config = prost_build::Config::new();
    config.enable_type_names();
    tonic_prost_build::configure().compile_fds_with_config(descriptors, config)?;
    Ok(())
}
