//! Takes the tracker's files, as `cargo xtask build` made them, into the program; leaves them out
//! where they are absent, so that a fresh clone compiles, lints and tests without them.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

const FILES: [(&str, &str); 3] =
    [("WHOLE", "tracker.js"), ("STREAMING", "tracker.stream.js"), ("WASM", "tracker.wasm")];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=FOOTFALL_ASSETS");
    let assets = env::var_os("FOOTFALL_ASSETS").map(PathBuf::from).unwrap_or_default().join("sdk");
    let mut source = String::new();
    for (constant, file) in FILES {
        let path = assets.join(file);
        // An absent file must be watched too; cargo takes a missing path as changed on every build,
        // so its folder is watched instead.
        println!("cargo::rerun-if-changed={}", watched(&path).display());
        let bytes = if path.is_file() {
            format!("Some(include_bytes!({:?}))", path.display().to_string())
        } else {
            "None".to_owned()
        };
        source.push_str(&format!("const {constant}: Option<&[u8]> = {bytes};\n"));
    }
    source.push_str(&parts(&assets.join("parts"))?);
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("assets.rs"), source)
}

/// The optional parts by name: every script of the folder.
fn parts(folder: &Path) -> io::Result<String> {
    // Of a folder, cargo watches what lies in it.
    println!("cargo::rerun-if-changed={}", watched(folder).display());
    let mut names = Vec::new();
    if folder.is_dir() {
        for file in fs::read_dir(folder)? {
            let path = file?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
            if path.extension().is_some_and(|extension| extension == "js") {
                names.extend(stem.map(|stem| (stem, path.display().to_string())));
            }
        }
    }
    names.sort();
    let parts = names.iter().map(|(name, path)| format!("({name:?}, include_bytes!({path:?})), "));
    Ok(format!("const PARTS: &[(&str, &[u8])] = &[{}];\n", parts.collect::<String>()))
}

/// The file, or the nearest folder above it that exists.
fn watched(path: &Path) -> &Path {
    path.ancestors().find(|path| path.exists()).unwrap_or(path)
}
