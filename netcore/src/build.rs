//! For build scripts: `.proto` files compiled without `protoc`, with messages that describe themselves.
//!
//! ```toml
//! [dependencies]
//! netcore = { version = "0.1", features = ["protobuf"] }
//! prost = "0.14"
//!
//! [build-dependencies]
//! netcore = { version = "0.1", features = ["protobuf-build"] }
//! ```
//!
//! ```no_run
//! // build.rs
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     Ok(netcore::build::protobuf(&["proto/chat.proto"], &["proto"])?)
//! }
//! ```
//!
//! The crate takes the code in by the package's name: `include!(concat!(env!("OUT_DIR"), "/chat.rs"));`.

use std::collections::{HashMap, HashSet};
use std::{io, path::Path};

use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};

/// A `.proto` file that does not compile.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The file, or one that it imports, is missing or not protobuf; the source says where.
    #[error("a .proto file does not compile")]
    Proto(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The Rust code could not be written.
    #[error("the code for the .proto files could not be written")]
    Write(#[source] io::Error),
}

/// Compiles `files`, which import from `includes`, into Rust modules in `OUT_DIR`.
///
/// `bytes` fields become [`Bytes`](bytes::Bytes), which share the read buffer. Each message, enum and `oneof` derives
/// [`Describe`](crate::Describe), so that the schema knows its fields; fields of Google's well-known types are opaque. Of
/// messages that contain each other in a circle, each names the next and says nothing else of it: what is in that one is in
/// no [fingerprint](crate::Schema::fingerprint) but that of packets whose body it is.
///
/// # Errors
/// [`BuildError`].
pub fn protobuf(files: &[impl AsRef<Path>], includes: &[impl AsRef<Path>]) -> Result<(), BuildError> {
    for include in includes {
        println!("cargo:rerun-if-changed={}", include.as_ref().display());
    }
    write(descriptors(files, includes)?, None)
}

fn descriptors(
    files: &[impl AsRef<Path>],
    includes: &[impl AsRef<Path>],
) -> Result<FileDescriptorSet, BuildError> {
    let compile = || {
        let mut compiler = protox::Compiler::new(includes)?;
        compiler.include_imports(true).include_source_info(true).open_files(files)?;
        Ok::<_, protox::Error>(compiler.file_descriptor_set())
    };
    compile().map_err(|error| BuildError::Proto(error.into()))
}

fn write(descriptors: FileDescriptorSet, out: Option<&Path>) -> Result<(), BuildError> {
    let mut config = prost_build::Config::new();
    config.bytes(["."]).type_attribute(".", "#[derive(::netcore::Describe)]");
    for field in fields(&descriptors, |_, field, messages| is_opaque(field, messages)) {
        config.field_attribute(field, "#[describe(opaque)]");
    }
    // A type that contains itself would describe itself without end.
    for field in fields(&descriptors, |name, field, messages| reaches(field.type_name(), name, messages)) {
        config.field_attribute(field, "#[describe(recursive)]");
    }
    if let Some(out) = out {
        config.out_dir(out);
    }
    config.compile_fds(descriptors).map_err(BuildError::Write)
}

/// Messages that prost has types of its own for, which describe nothing.
const WELL_KNOWN: &str = ".google.protobuf.";

/// A map is a message of its own in the file, with a key and a value, and none in Rust: its field has to say it.
fn is_opaque(field: &FieldDescriptorProto, messages: &Messages<'_>) -> bool {
    let entry = messages
        .get(field.type_name())
        .filter(|message| message.options.as_ref().is_some_and(|it| it.map_entry()));
    let of_map = entry.is_some_and(|entry| entry.field.iter().any(is_well_known));
    of_map || is_well_known(field)
}

fn is_well_known(field: &FieldDescriptorProto) -> bool {
    field.type_name().starts_with(WELL_KNOWN)
}

type Messages<'a> = HashMap<String, &'a DescriptorProto>;

/// The paths of all fields that `wanted` says yes to, by its message's name, itself, and all messages.
fn fields(
    descriptors: &FileDescriptorSet,
    wanted: impl Fn(&str, &FieldDescriptorProto, &Messages<'_>) -> bool,
) -> Vec<String> {
    let mut messages = HashMap::new();
    for file in &descriptors.file {
        let package = file.package();
        let root = if package.is_empty() { String::new() } else { format!(".{package}") };
        for message in &file.message_type {
            gather(&root, message, &mut messages);
        }
    }
    let mut paths = Vec::new();
    for (name, message) in &messages {
        for field in message.field.iter().filter(|field| wanted(name, field, &messages)) {
            paths.push(format!("{name}.{}", field.name()));
            if let Some(oneof) = oneof_name(message, field) {
                paths.push(format!("{name}.{oneof}.{}", field.name()));
            }
        }
    }
    paths.sort();
    paths
}

fn gather<'a>(
    prefix: &str,
    message: &'a DescriptorProto,
    messages: &mut HashMap<String, &'a DescriptorProto>,
) {
    let name = format!("{prefix}.{}", message.name());
    for nested in &message.nested_type {
        gather(&name, nested, messages);
    }
    messages.insert(name, message);
}

fn reaches(from: &str, to: &str, messages: &Messages<'_>) -> bool {
    let (mut open, mut seen) = (vec![from], HashSet::new());
    while let Some(name) = open.pop() {
        if name == to {
            return true;
        }
        if let (Some(message), true) = (messages.get(name), seen.insert(name)) {
            open.extend(message.field.iter().map(FieldDescriptorProto::type_name));
        }
    }
    false
}

fn oneof_name<'a>(message: &'a DescriptorProto, field: &FieldDescriptorProto) -> Option<&'a str> {
    let index = usize::try_from(field.oneof_index?).ok()?;
    message.oneof_decl.get(index).map(|oneof| oneof.name())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{BuildError, descriptors, fields, reaches, write};

    const TREE: &str = r#"
        syntax = "proto3";
        package garden;
        import "google/protobuf/timestamp.proto";
        // A tree.
        message Tree {
            string name = 1;
            repeated Tree branches = 2;
            map<string, Tree> grafts = 3;
            oneof root { Tree parent = 4; uint32 seed = 5; }
            Leaf leaf = 6;
        }
        message Leaf {
            bytes veins = 1;
            google.protobuf.Timestamp fell = 2;
            map<string, google.protobuf.Timestamp> seen = 3;
        }
    "#;

    fn folder(name: &str, proto: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("netcore-build-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("garden.proto"), proto).unwrap();
        folder
    }

    #[test]
    fn messages_describe_themselves_and_end_where_they_contain_themselves() {
        let folder = folder("tree", TREE);
        let descriptors = descriptors(&[folder.join("garden.proto")], &[&folder]).unwrap();
        let fields = fields(&descriptors, |name, field, messages| reaches(field.type_name(), name, messages));
        for field in ["branches", "grafts", "parent", "root.parent"] {
            assert!(fields.contains(&format!(".garden.Tree.{field}")), "{field} in {fields:?}");
        }
        assert!(!fields.contains(&".garden.Tree.leaf".to_owned()));
        write(descriptors, Some(&folder)).unwrap();
        let code = fs::read_to_string(folder.join("garden.rs")).unwrap();
        assert_eq!(code.matches("::netcore::Describe").count(), 3, "{code}");
        assert!(code.contains("::prost::bytes::Bytes"), "{code}");
        assert_eq!(code.matches("#[describe(opaque)]").count(), 2, "{code}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_that_is_no_protobuf_is_an_error_that_says_where() {
        let folder = folder("broken", "syntax = \"proto3\"; message { }");
        let Err(BuildError::Proto(source)) = descriptors(&[folder.join("garden.proto")], &[&folder]) else {
            panic!("it compiled");
        };
        assert!(source.to_string().contains("expected"), "{source}");
        fs::remove_dir_all(folder).unwrap();
    }
}
