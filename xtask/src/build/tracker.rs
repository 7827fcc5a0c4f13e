//! The tracker: Rust to wasm, bound, shrunk, minified.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use wasm_bindgen_cli_support::Bindgen;

use super::keep;
use crate::fetch::{Fetched, node};
use crate::{place, program};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
/// Words in the loader that the collector replaces for each site; minifying must leave them.
const PLACEHOLDERS: [&str; 2] = ["__FOOTFALL_SITE__", "__FOOTFALL_VERSION__"];
/// What every browser since 2021 can do, and rustc uses. Named, because wasm-bindgen drops the section that says so.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Writes `loader.js`, `footfall.js` and `footfall.wasm` under `sdk/` of the assets.
pub(super) fn build(target: &Path, fetched: &Fetched) -> Result<()> {
    let wasm = compile(target)?;
    let scratch = tempfile::tempdir()?;
    bind(&wasm, scratch.path())?;

    let assets = place::assets().join("sdk");
    let small = shrink(fetched, &scratch.path().join("footfall_bg.wasm"))?;
    keep(&assets.join("footfall.wasm"), &small)?;
    let glue = minify(fetched, &scratch.path().join("footfall.js"), &["--format=esm"])?;
    keep(&assets.join("footfall.js"), glue.as_bytes())?;
    let loader = place::root().join("sdk-wasm/loader/loader.js");
    let loader = minify(fetched, &loader, &[])?;
    for word in PLACEHOLDERS {
        ensure!(loader.contains(word), "the minified loader has lost {word}");
    }
    keep(&assets.join("loader.js"), loader.as_bytes())
}

/// Adds the target where rustup has not: a toolchain that was there before this repository lacks it.
pub(crate) fn target_installed() -> Result<()> {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(place::root()).args(["--print", "target-libdir", "--target", TARGET]);
    let libraries = program::output(&mut rustc)?;
    if Path::new(libraries.trim()).is_dir() {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    rustup.current_dir(place::root()).args(["target", "add", TARGET]);
    program::run(&mut rustup).with_context(|| format!("rustc cannot build for {TARGET}"))
}

fn compile(target: &Path) -> Result<PathBuf> {
    target_installed()?;
    let mut cargo = program::cargo();
    cargo.args(["build", "--locked", "-p", "sdk-wasm", "--lib"]);
    cargo.args(["--profile", "sdk", "--target", TARGET, "--target-dir"]).arg(target);
    program::run(&mut cargo)?;
    let wasm = target.join(TARGET).join("sdk/sdk_wasm.wasm");
    ensure!(wasm.is_file(), "cargo made no {}: sdk-wasm must be a cdylib", wasm.display());
    Ok(wasm)
}

/// Makes `footfall_bg.wasm` and `footfall.js`, the module that loads it from the address it is given.
fn bind(wasm: &Path, to: &Path) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).out_name("footfall").web(true)?.typescript(false);
    bindgen.remove_name_section(true).remove_producers_section(true).omit_default_module_path(true);
    let mut output = bindgen.generate_output()?;
    let snippets = output.snippets().values().map(Vec::len).sum::<usize>();
    let scripts = snippets + output.local_modules().len();
    ensure!(scripts == 0, "sdk-wasm brings scripts of its own, which the collector does not serve");
    output.emit(to)
}

fn shrink(fetched: &Fetched, wasm: &Path) -> Result<Vec<u8>> {
    let small = wasm.with_extension("small");
    let mut wasm_opt = node(&fetched.node_modules.join("binaryen/bin/wasm-opt"))?;
    wasm_opt.args(["-Oz", "--strip-debug", "--strip-producers", "--strip-target-features"]);
    program::run(wasm_opt.args(WASM_FEATURES).arg(wasm).arg("-o").arg(&small))?;
    Ok(fs::read(small)?)
}

fn minify(fetched: &Fetched, script: &Path, arguments: &[&str]) -> Result<String> {
    ensure!(script.is_file(), "{} is not there", script.display());
    let mut esbuild = node(&fetched.node_modules.join("esbuild/bin/esbuild"))?;
    esbuild.args(["--minify", "--target=es2020", "--legal-comments=none", "--log-level=warning"]);
    program::output(esbuild.args(arguments).arg(script))
}
