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
const SETTINGS: &str = "__FOOTFALL_SETTINGS__";
/// The word in the loader that the WebAssembly takes the place of.
const WASM: &str = "__FOOTFALL_WASM__";
/// What every byte of the WebAssembly is mixed with (exclusive or) to be a character: of all 256 the script is
/// smallest with this one (brotli).
const KEY: u8 = 0x70;
/// To V8 (<https://v8.dev/blog/explicit-compile-hints>): that it compile all functions while it reads the script,
/// which it does beside the page, and not each when it is called first, while the page waits.
pub(crate) const HINT: &str = "//# allFunctionsCalledOnLoad";
/// The loader's scripts, in `sdk-wasm/loader`; the first imports the others.
pub(crate) const LOADER: [&str; 7] =
    ["loader.js", "host.js", "who.js", "calls.js", "consent.js", "fallback.js", "watch.js"];
/// What every browser since 2021 can do, and rustc uses. Named, because wasm-bindgen drops the section that says so.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// The last of wasm-opt's runs, which tells the names it gives.
const WASM_LAST: [&str; 5] = [
    "-Oz",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
    "--minify-imports-and-exports-and-modules",
];

/// Writes `tracker.js`, all in one; `tracker.stream.js`, which fetches the WebAssembly; and
/// `tracker.wasm`, under `sdk/` of the assets.
pub(super) fn build(target: &Path, fetched: &Fetched) -> Result<()> {
    let wasm = compile(target)?;
    let scratch = tempfile::tempdir()?;
    let folder = scratch.path();
    bind(&wasm, folder)?;
    let wasm = folder.join("footfall_bg.wasm");
    fs::write(&wasm, silent(fs::read(&wasm)?))?;
    let (small, names) = shrink(fetched, &wasm)?;
    for script in LOADER {
        fs::copy(place::root().join("sdk-wasm/loader").join(script), folder.join(script))?;
    }
    let glue = names.rename(&fs::read_to_string(folder.join("footfall_bg.js"))?)?;
    fs::write(folder.join("glue.js"), glue)?;
    fs::write(folder.join("tracker.js"), names.script())?;

    let assets = place::assets().join("sdk");
    let inline = bundle(fetched, &folder.join("loader.js"), true)?;
    let stream = bundle(fetched, &folder.join("loader.js"), false)?;
    ensure!(inline.contains(WASM), "the minified loader has lost {WASM}");
    for (script, word) in [&inline, &stream]
        .into_iter()
        .flat_map(|script| [SITE, VERSION, SETTINGS].map(|word| (script, word)))
    {
        ensure!(script.contains(word), "the minified loader has lost {word}");
    }
    // The module comes last, so that the two halves can be compressed each in its own way.
    let inline = inline.replace(WASM, "$wasm");
    let inline = format!("{HINT}\n($wasm=>{{{}}})(", inline.trim_end());
    ensure!(inline.is_ascii(), "the loader is not ASCII, as which it is served");
    keep(&assets.join("tracker.js"), &[inline.as_bytes(), &text(&small), b")"].concat())?;
    keep(&assets.join("tracker.stream.js"), format!("{HINT}\n{stream}").as_bytes())?;
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

/// What the names of functions have that end in a panic. Nobody hears what they make ready to say (`src/page.rs` of the
/// tracker traps), so they are made to do only that, and who calls them need not tell them where it happened.
const PANICS: [&str; 5] =
    ["::panicking::", "::panic_already_", "::capacity_overflow", "::handle_error", "alloc_error"];

/// Makes `footfall_bg.wasm` and `footfall_bg.js`, what it imports and what calls it.
fn bind(wasm: &Path, to: &Path) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).out_name("footfall").bundler(true)?.typescript(false);
    bindgen.remove_name_section(true).remove_producers_section(true);
    // Every browser with WebAssembly of this kind has `encodeInto`.
    bindgen.encode_into(EncodeInto::Always);
    let mut output = bindgen.generate_output()?;
    let mut panics = 0;
    for function in output.wasm_mut().funcs.iter_mut() {
        let name = function.name.as_deref().unwrap_or_default();
        if PANICS.iter().any(|panic| name.contains(panic)) {
            let mut body = function.kind.unwrap_local_mut().builder_mut().func_body();
            body.instrs_mut().clear();
            body.unreachable();
            panics += 1;
        }
    }
    ensure!(panics > 0, "no function in the module has a panic's name");
    output.emit(to)
}

/// Texts in the module that nobody reads: a panic in the page says nothing, but the linker keeps its
/// words, and the digits to write numbers with among them. They are 5 % of the module.
const UNREAD: [&str; 8] = [
    "Tried to shrink to a larger capacity",
    "memory allocation of ",
    " bytes failed",
    "capacity overflow",
    "closure invoked recursively or after being dropped",
    "RefCell already mutably borrowed",
    "RefCell already borrowed",
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
     5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899",
];
/// How the name of a source file ends, where a panic says it; it begins with a slash.
const UNREAD_FILE: &str = ".rs";

/// The module with zeros in place of what is [`UNREAD`]; wasm-opt leaves those out.
fn silent(mut wasm: Vec<u8>) -> Vec<u8> {
    for text in UNREAD.into_iter().chain([UNREAD_FILE]) {
        let mut from = 0;
        while let Some(at) = find(&wasm, text, from) {
            let end = at + text.len();
            let begin = if text == UNREAD_FILE { path_begins(&wasm, from, at) } else { at };
            if let Some(unread) = wasm.get_mut(begin..end) {
                unread.fill(0);
            }
            from = end;
        }
    }
    wasm
}

fn find(wasm: &[u8], text: &str, from: usize) -> Option<usize> {
    let rest = wasm.get(from..)?;
    let at = rest.windows(text.len()).position(|window| window == text.as_bytes())?;
    Some(from + at)
}

/// Where the path begins that goes on until `end`: at its first slash, not before `from`.
fn path_begins(wasm: &[u8], from: usize, end: usize) -> usize {
    let before = wasm.get(from..end).unwrap_or_default();
    let in_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+@".contains(byte);
    let length = before.iter().rev().take_while(|byte| in_path(byte)).count();
    let path = end - length;
    let slash = wasm.get(path..end).unwrap_or_default().iter().position(|byte| *byte == b'/');
    slash.map_or(end, |slash| path + slash)
}

/// The module without a byte too many, and how its imports and exports are called in it.
fn shrink(fetched: &Fetched, wasm: &Path) -> Result<(Vec<u8>, Names)> {
    let (flat, small) = (wasm.with_extension("flat"), wasm.with_extension("small"));
    let wasm_opt = |from: &Path, passes: &[&str], to: &Path| {
        let mut wasm_opt = node(&fetched.node_modules.join("binaryen/bin/wasm-opt"))?;
        wasm_opt.args(passes).args(WASM_FEATURES).arg(from).arg("-o").arg(to);
        program::output(&mut wasm_opt)
    };
    // Blocks and loops made anew from flat code are shorter than what LLVM made of them, and what is
    // read anew is shortened once more.
    wasm_opt(wasm, &["-Oz", "--flatten", "--rereloop", "-Oz"], &flat)?;
    let names = wasm_opt(&flat, &WASM_LAST, &small)?;
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
        let mut renamed = slim(glue)?;
        for (long, short) in &self.exports {
            for after in ["(", ")", ",", ";", "."] {
                renamed = renamed
                    .replace(&format!("wasm.{long}{after}"), &format!("wasm.{short}{after}"));
            }
        }
        // One copy of the loader's parts, not one of their own for the tracker.
        ensure!(renamed.contains(SNIPPETS), "the tracker does not use the loader");
        while let Some((before, path)) = renamed.split_once(SNIPPETS) {
            let (_, name) = path.split_once("/loader/").context("another snippet's path")?;
            renamed = format!("{before}./{name}");
        }
        Ok(renamed)
    }

    /// The script between the loader and wasm-bindgen's: what is called, and what is imported.
    fn script(&self) -> String {
        let ours = |name: &&str| !name.starts_with("__") && *name != "memory";
        let exports = self.exports.iter().map(|(long, _)| long.as_str());
        let signals = exports.filter(ours).collect::<Vec<_>>().join(", ");
        let start = self.exports.iter().find(|(long, _)| long == "__wbindgen_start");
        let start = start.map(|(_, short)| format!("exports.{short}();")).unwrap_or_default();
        // What needs no translation is imported from the loader as it is.
        let imports = self.imports.iter();
        let imported = imports.map(|(module, long, _)| {
            let script = module.rsplit('/').next().filter(|_| module.starts_with(SNIPPETS));
            format!("import {{ {long} }} from './{}';\n", script.unwrap_or("glue.js"))
        });
        let imported = imported.collect::<String>();
        let imports = self.imports.iter().map(|(_, long, short)| format!("{short}: {long}"));
        let imports = imports.collect::<Vec<_>>().join(", ");
        format!(
            "import {{ __wbg_set_wasm, {signals} }} from './glue.js';\n\
             {imported}\
             export const tracker = {{ {signals} }};\n\
             export const imports = {{ a: {{ {imports} }} }};\n\
             export const attach = (exports) => {{ __wbg_set_wasm(exports); {start} }};\n"
        )
    }
}

/// How wasm-bindgen's script names a copy of the loader's scripts; their folder and names follow.
const SNIPPETS: &str = "./snippets/";

/// What wasm-bindgen's script does for speed with long texts, for memories of gigabytes, and for objects
/// that are kept, which none is: done shortly, or not at all.
const SLIM: [(&str, &str); 3] = [
    (
        "function passStringToWasm0(",
        "function passStringToWasm0(text, malloc) {
    const bytes = cachedTextEncoder.encode(text);
    const ptr = malloc(WASM_VECTOR_LEN = bytes.length, 1) >>> 0;
    new Uint8Array(wasm.memory.buffer).set(bytes, ptr);
    return ptr;",
    ),
    (
        "function getStringFromWasm0(",
        "function getStringFromWasm0(ptr, len) {
    return cachedTextDecoder.decode(new Uint8Array(wasm.memory.buffer, ptr >>> 0, len));",
    ),
    ("function __wbindgen_init_externref_table(", "function __wbindgen_init_externref_table() {"),
];
/// What it does ahead, to be quicker later.
const AHEAD: &str = "\ncachedTextDecoder.decode();";
/// How it reads texts of the module, of which none can begin with a byte order mark.
const DECODER: &str = "new TextDecoder('utf-8', { ignoreBOM: true })";

/// How each imported function that gives a text does so.
const GIVES_TEXT: &str =
    "    const ptr1 = passStringToWasm0(ret, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len1 = WASM_VECTOR_LEN;
    getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 1, len1, true);
    getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 0, ptr1, true);
";
/// The same, once for all.
const GIVE_TEXT: &str = "
function giveText(at, text) {
    const ptr = passStringToWasm0(text, wasm.__wbindgen_malloc);
    new Int32Array(wasm.memory.buffer, at, 2).set([ptr, WASM_VECTOR_LEN]);
}
";

/// The script with [`SLIM`] functions in place of its own.
fn slim(glue: &str) -> Result<String> {
    ensure!(glue.contains(GIVES_TEXT), "the glue gives texts in another way");
    let mut slim = glue.replace(GIVES_TEXT, "    giveText(arg0, ret);\n") + GIVE_TEXT;
    for (head, short) in SLIM {
        let (before, rest) =
            slim.split_once(head).with_context(|| format!("no {head} in the glue"))?;
        let (_, after) = rest.split_once("\n}\n").context("a function of the glue has no end")?;
        slim = format!("{before}{short}\n}}\n{after}");
    }
    ensure!(slim.contains(AHEAD), "no {AHEAD} in the glue");
    ensure!(slim.contains(DECODER), "no {DECODER} in the glue");
    Ok(slim.replace(AHEAD, "").replace(DECODER, "new TextDecoder()"))
}

/// One script of the loader and all it imports.
fn bundle(fetched: &Fetched, script: &Path, inline: bool) -> Result<String> {
    let mut esbuild = node(&fetched.node_modules.join("esbuild/bin/esbuild"))?;
    esbuild.args(["--bundle", "--format=iife"]);
    esbuild.args(["--minify", "--target=es2020", "--legal-comments=none", "--log-level=warning"]);
    esbuild.args([format!("--define:INLINE={inline}"), format!("--define:KEY={KEY}")]);
    program::output(esbuild.arg(script))
}

/// How the text begins that the WebAssembly is in the script.
pub(crate) fn wasm_begins() -> [u8; 5] {
    let [first, a, s, m] = b"\0asm".map(|byte| byte ^ KEY);
    [b'"', first, a, s, m]
}

/// The bytes, with [`KEY`], as a JavaScript text, a character each: base64 would be a sixth more to download.
/// The script is served as windows-1252, which has a character for every byte, the same as its number but for
/// 27 of them (<https://encoding.spec.whatwg.org/#windows-1252>); these are told by their numbers.
fn text(bytes: &[u8]) -> Vec<u8> {
    let mut text = vec![b'"'];
    for byte in bytes.iter().map(|byte| byte ^ KEY) {
        match byte {
            b'"' | b'\\' => text.extend([b'\\', byte]),
            b'\n' => text.extend(b"\\n"),
            b'\r' => text.extend(b"\\r"),
            0x81 | 0x8d | 0x8f | 0x90 | 0x9d => text.push(byte),
            0x80..=0x9f => text.extend(format!("\\x{byte:x}").as_bytes()),
            _ => text.push(byte),
        }
    }
    text.push(b'"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_one_character_of_a_javascript_text() {
        let bytes = [0, b'1', b'"', b'\\', b'\n', b'\r', 0x7f, 0x80, 0x81, 0x9f, 0xa0, 0xff];
        let text = text(&bytes.map(|byte| byte ^ KEY));
        assert_eq!(text, b"\"\x001\\\"\\\\\\n\\r\x7f\\x80\x81\\x9f\xa0\xff\"");
    }

    #[test]
    fn the_compressors_find_where_the_webassembly_begins() {
        assert!(text(b"\0asm\x01").starts_with(&wasm_begins()));
        // The collector looks for it too.
        assert_eq!(&wasm_begins(), b"\"p\x11\x03\x1d");
    }

    #[test]
    fn what_a_panic_would_say_is_left_out_and_nothing_beside_it() {
        let digits = UNREAD[7];
        assert_eq!(digits.len(), 200);
        let wasm = format!(
            "queue capacity overflow/rustc/5/a.rsstep/home/a-b/.cargo/c.rs{digits}0 bytes .rs"
        );
        let silent = String::from_utf8(silent(wasm.clone().into_bytes())).unwrap();
        assert_eq!(silent.len(), wasm.len());
        assert_eq!(silent.replace('\0', ""), "queue step0 bytes ");
    }

    #[test]
    fn the_glue_is_renamed_as_the_module_is() {
        let names = Names {
            imports: vec![
                ("./footfall_bg.js".into(), "__wbg_now".into(), "a".into()),
                ("./snippets/sdk-wasm-1/loader/host.js".into(), "held".into(), "b".into()),
            ],
            exports: vec![("call".into(), "b".into()), ("memory".into(), "c".into())],
        };
        let glue = "import { post } from './snippets/sdk-wasm-1/loader/host.js';\n\
                    import { who } from './snippets/sdk-wasm-1/loader/who.js';\n\
                    wasm.call(1); wasm.memory.buffer; wasm.callback(2);\n\
                    function passStringToWasm0(arg) {\n    long();\n}\n\
                    function __wbindgen_init_externref_table() {\n    long();\n}\n\
                    function getStringFromWasm0(ptr, len) {\n    long();\n}\n\
                    let cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });\ncachedTextDecoder.decode();\n";
        let renamed = names.rename(&[glue, GIVES_TEXT].concat()).unwrap();
        let beginning = "import { post } from './host.js';\nimport { who } from './who.js';\n\
                         wasm.b(1); wasm.c.buffer; wasm.callback(2);\nfunction passStringToWasm0(";
        assert!(renamed.starts_with(beginning), "{renamed}");
        assert!(!renamed.contains("long") && !renamed.contains("ptr1"), "{renamed}");
        assert!(renamed.contains("    giveText(arg0, ret);\n"), "{renamed}");
        assert!(renamed.contains("new Int32Array(wasm.c.buffer"), "{renamed}");
        assert!(names.script().contains("tracker = { call };"));
        let script = names.script();
        assert!(script.contains("import { __wbg_now } from './glue.js';"), "{script}");
        assert!(script.contains("import { held } from './host.js';"), "{script}");
        assert!(script.contains("{ a: { a: __wbg_now, b: held } }"), "{script}");
    }
}
