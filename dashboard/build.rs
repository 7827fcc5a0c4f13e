//! Takes the browser's scripts from npm into the program, where `cargo xtask build` has put them.
//!
//! A file that is not there becomes `None`, so that a fresh clone compiles; the program then refuses to start.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=FOOTFALL_ASSETS");
    let folder = assets().join("dashboard");
    // The folder and not only the files: cargo notices then that a missing file has come.
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut code = String::new();
    for (constant, name) in [("ECHARTS", "echarts.js"), ("HTMX", "htmx.js")] {
        let file = folder.join(name);
        println!("cargo::rerun-if-changed={}", file.display());
        let value = match file.is_file() {
            true => format!("Some(include_bytes!({file:?}))"),
            false => "None".to_owned(),
        };
        code += &format!("pub(super) const {constant}: Option<&[u8]> = {value};\n");
    }
    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    fs::write(out.join("npm.rs"), code)
}

/// Absolute: `include_bytes!` would look beside the file that is written here.
fn assets() -> PathBuf {
    let root = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let named = env::var_os("FOOTFALL_ASSETS").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| Path::new("target").join("assets"));
    root.parent().unwrap_or(&root).join(folder)
}
