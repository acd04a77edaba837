//! What the derive macros refuse, and the words they do it in.
#![cfg(all(feature = "msgpack", feature = "protobuf"))]

/// The messages are partly the compiler's own, which change from one version to the next, so that only the one version
/// that CI names in `NETCORE_UI` judges them.
#[test]
fn the_macros_say_what_is_wrong_and_how_to_fix_it() {
    if std::env::var_os("NETCORE_UI").is_none() {
        println!("skipped: compiler messages change with its version; set NETCORE_UI to compare them");
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
