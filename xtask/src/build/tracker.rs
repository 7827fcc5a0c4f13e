//! The tracker: Rust to wasm, bound, shrunk, minified.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use wasm_bindgen_cli_support::{Bindgen, EncodeInto};

use super::keep;
use crate::fetch::{Fetched, node};
use crate::{place, program};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
/// Words in the loader that the collector replaces for each site; minifying must leave them.
const SITE: &str = "__FOOTFALL_SITE__";
const VERSION: &str = "__FOOTFALL_VERSION__";
/// The word in the loader that the WebAssembly takes the place of.
const WASM: &str = "__FOOTFALL_WASM__";
/// What every browser since 2021 can do, and rustc uses. Named, because wasm-bindgen drops the section that says so.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Writes `tracker.js`, all in one; `tracker.stream.js`, which fetches the WebAssembly; and
/// `tracker.wasm`, under `sdk/` of the assets.
pub(super) fn build(target: &Path, fetched: &Fetched) -> Result<()> {
    let wasm = compile(target)?;
    let scratch = tempfile::tempdir()?;
    let folder = scratch.path();
    bind(&wasm, folder)?;
    let (small, names) = shrink(fetched, &folder.join("footfall_bg.wasm"))?;
    for script in ["loader.js", "host.js", "consent.js", "fallback.js"] {
        fs::copy(place::root().join("sdk-wasm/loader").join(script), folder.join(script))?;
    }
    let glue = names.rename(&fs::read_to_string(folder.join("footfall_bg.js"))?)?;
    fs::write(folder.join("glue.js"), glue)?;
    fs::write(folder.join("tracker.js"), names.script())?;

    let assets = place::assets().join("sdk");
    let inline = bundle(fetched, &folder.join("loader.js"), true)?;
    let stream = bundle(fetched, &folder.join("loader.js"), false)?;
    for (script, word) in [(&inline, SITE), (&inline, WASM), (&stream, SITE), (&stream, VERSION)] {
        ensure!(script.contains(word), "the minified loader has lost {word}");
    }
    // The module comes last, so that the two halves can be compressed each in its own way.
    let inline = inline.replace(WASM, "$wasm");
    let inline = format!("($wasm=>{{{}}})({})", inline.trim_end(), text(&small));
    keep(&assets.join("tracker.js"), inline.as_bytes())?;
    keep(&assets.join("tracker.stream.js"), stream.as_bytes())?;
    keep(&assets.join("tracker.wasm"), &small)
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
    cargo.args(["build", "--locked", "-p", "sdk-wasm", "--lib", "--features", "page"]);
    cargo.args(["--profile", "sdk", "--target", TARGET, "--target-dir"]).arg(target);
    program::run(&mut cargo)?;
    let wasm = target.join(TARGET).join("sdk/sdk_wasm.wasm");
    ensure!(wasm.is_file(), "cargo made no {}: sdk-wasm must be a cdylib", wasm.display());
    Ok(wasm)
}

/// Makes `footfall_bg.wasm` and `footfall_bg.js`, what it imports and what calls it.
fn bind(wasm: &Path, to: &Path) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).out_name("footfall").bundler(true)?.typescript(false);
    bindgen.remove_name_section(true).remove_producers_section(true);
    // Every browser with WebAssembly of this kind has `encodeInto`.
    bindgen.encode_into(EncodeInto::Always);
    bindgen.generate_output()?.emit(to)
}

/// The module without a byte too many, and how its imports and exports are called in it.
fn shrink(fetched: &Fetched, wasm: &Path) -> Result<(Vec<u8>, Names)> {
    let small = wasm.with_extension("small");
    let mut wasm_opt = node(&fetched.node_modules.join("binaryen/bin/wasm-opt"))?;
    wasm_opt.args(["-Oz", "--strip-debug", "--strip-producers", "--strip-target-features"]);
    wasm_opt.arg("--minify-imports-and-exports-and-modules");
    let names = program::output(wasm_opt.args(WASM_FEATURES).arg(wasm).arg("-o").arg(&small))?;
    let names = serde_json::from_str(&names).context("wasm-opt says names in another form")?;
    Ok((fs::read(small)?, names))
}

/// The short names in the module, as wasm-opt tells them.
#[derive(serde::Deserialize)]
struct Names {
    /// The module's long name, the import's, and the import's short one.
    imports: Vec<(String, String, String)>,
    /// The export's long name and its short one.
    exports: Vec<(String, String)>,
}

impl Names {
    /// wasm-bindgen's script, with the short names for what the module exports.
    fn rename(&self, glue: &str) -> Result<String> {
        let mut renamed = glue.to_owned();
        for (long, short) in &self.exports {
            for after in ["(", ")", ",", ";", "."] {
                renamed = renamed
                    .replace(&format!("wasm.{long}{after}"), &format!("wasm.{short}{after}"));
            }
        }
        // One copy of the loader's part, not one of its own for the tracker.
        let from = renamed.find("'./snippets/").context("the tracker does not use host.js")?;
        let rest = renamed.get(from + 1..).unwrap_or_default();
        let path = rest.split('\'').next().unwrap_or_default();
        slim(&renamed.replace(path, "./host.js"))
    }

    /// The script between the loader and wasm-bindgen's: what is called, and what is imported.
    fn script(&self) -> String {
        let ours = |name: &&str| !name.starts_with("__") && *name != "memory";
        let exports = self.exports.iter().map(|(long, _)| long.as_str());
        let signals = exports.filter(ours).collect::<Vec<_>>().join(", ");
        let start = self.exports.iter().find(|(long, _)| long == "__wbindgen_start");
        let start = start.map(|(_, short)| format!("exports.{short}();")).unwrap_or_default();
        let long = self.imports.iter().map(|(_, long, _)| long.as_str());
        let imported = long.collect::<Vec<_>>().join(", ");
        let imports = self.imports.iter().map(|(_, long, short)| format!("{short}: {long}"));
        let imports = imports.collect::<Vec<_>>().join(", ");
        format!(
            "import {{ __wbg_set_wasm, {signals}, {imported} }} from './glue.js';\n\
             export const tracker = {{ {signals} }};\n\
             export const imports = {{ a: {{ {imports} }} }};\n\
             export const attach = (exports) => {{ __wbg_set_wasm(exports); {start} }};\n"
        )
    }
}

/// What wasm-bindgen's script does for speed with long texts and for memories of gigabytes, done shortly.
const SLIM: [(&str, &str); 2] = [
    (
        "function passStringToWasm0(",
        "function passStringToWasm0(text, malloc) {
    const bytes = cachedTextEncoder.encode(text);
    const ptr = malloc(WASM_VECTOR_LEN = bytes.length, 1) >>> 0;
    getUint8ArrayMemory0().set(bytes, ptr);
    return ptr;",
    ),
    (
        "function decodeText(",
        "function decodeText(bytes) {\n    return cachedTextDecoder.decode(bytes);",
    ),
];

/// The script with [`SLIM`] functions in place of its own.
fn slim(glue: &str) -> Result<String> {
    let mut slim = glue.to_owned();
    for (head, short) in SLIM {
        let (before, rest) =
            slim.split_once(head).with_context(|| format!("no {head} in the glue"))?;
        let (_, after) = rest.split_once("\n}\n").context("a function of the glue has no end")?;
        slim = format!("{before}{short}\n}}\n{after}");
    }
    Ok(slim)
}

/// One script of the loader and all it imports.
fn bundle(fetched: &Fetched, script: &Path, inline: bool) -> Result<String> {
    let mut esbuild = node(&fetched.node_modules.join("esbuild/bin/esbuild"))?;
    esbuild.args(["--bundle", "--format=iife"]);
    esbuild.args(["--minify", "--target=es2020", "--legal-comments=none", "--log-level=warning"]);
    program::output(esbuild.arg(format!("--define:INLINE={inline}")).arg(script))
}

/// The bytes as a JavaScript text, a character each: base64 would be a sixth more to download.
fn text(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            _ => text.push(char::from(*byte)),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_one_character_of_a_javascript_text() {
        let text = text(&[0, b'1', b'"', b'\\', b'\n', b'\r', 0x7f, 0x80, 0xff]);
        assert_eq!(text, "\"\u{0}1\\\"\\\\\\n\\r\u{7f}\u{80}\u{ff}\"");
    }

    #[test]
    fn the_glue_is_renamed_as_the_module_is() {
        let names = Names {
            imports: vec![("./footfall_bg.js".into(), "__wbg_now".into(), "a".into())],
            exports: vec![("call".into(), "b".into()), ("memory".into(), "c".into())],
        };
        let glue = "import { post } from './snippets/sdk-wasm-1/loader/host.js';\n\
                    wasm.call(1); wasm.memory.buffer; wasm.callback(2);\n\
                    function passStringToWasm0(arg) {\n    long();\n}\n\
                    function decodeText(bytes) {\n    long();\n}\n";
        let renamed = names.rename(glue).unwrap();
        let beginning = "import { post } from './host.js';\n\
                         wasm.b(1); wasm.c.buffer; wasm.callback(2);\nfunction passStringToWasm0(";
        assert!(renamed.starts_with(beginning), "{renamed}");
        assert!(!renamed.contains("long"), "{renamed}");
        assert!(names.script().contains("tracker = { call };"));
        assert!(names.script().contains("{ a: { a: __wbg_now } }"));
    }
}
