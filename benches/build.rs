//! Compiles the protobuf samples, and notes which compiler the numbers come from.

use std::{env, error::Error, process::Command};

fn main() -> Result<(), Box<dyn Error>> {
    netcore::build::protobuf(&["../proto/samples.proto"], &["../proto"])?;
    let rustc = Command::new(env::var("RUSTC")?).arg("--version").output()?;
    println!("cargo:rustc-env=NETCORE_BENCHES_RUSTC={}", String::from_utf8(rustc.stdout)?.trim());
    Ok(())
}
