//! The tracker's optional parts: what only some sites want, a script each.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::keep;
use crate::fetch::{Fetched, node};
use crate::{place, program};

/// What a script has that is a part; one without it is for other parts to import.
const PART: &str = "export default";

/// Writes `sdk/parts/NAME.js` of the assets for each part in `sdk-wasm/parts/`, and takes away what is
/// no part any more.
pub(super) fn build(fetched: &Fetched) -> Result<()> {
    let parts = parts(&place::root().join("sdk-wasm/parts"))?;
    let folder = place::assets().join("sdk/parts");
    fs::create_dir_all(&folder)?;
    for (name, script) in &parts {
        keep(&folder.join(name), bundle(fetched, script)?.as_bytes())?;
    }
    for file in fs::read_dir(&folder)? {
        let file = file?;
        if !parts.iter().any(|(name, _)| file.file_name().to_str() == Some(name)) {
            fs::remove_file(file.path())?;
        }
    }
    Ok(())
}

/// The parts among a folder's scripts, by name.
fn parts(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut parts = Vec::new();
    for file in fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))? {
        let path = file?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let Some(stem) = name.strip_suffix(".js") else { continue };
        if !fs::read_to_string(&path)?.contains(PART) {
            continue;
        }
        // The name stands in an address and in the option `with`.
        let is_word = stem.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        ensure!(is_word, "{name} is no name for a part: only small letters and hyphens are");
        parts.push((name, path));
    }
    parts.sort();
    Ok(parts)
}

/// The part and all it imports, as one module.
fn bundle(fetched: &Fetched, script: &Path) -> Result<String> {
    let mut esbuild = node(&fetched.node_modules.join("esbuild/bin/esbuild"))?;
    esbuild.args(["--bundle", "--format=esm", "--minify", "--target=es2020"]);
    esbuild.args(["--legal-comments=none", "--log-level=warning"]);
    let module = program::output(esbuild.arg(script))?;
    ensure!(module.contains("default"), "{} has lost its function", script.display());
    Ok(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_what_has_a_function_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("web-vitals.js", "export default () => {};");
        write("shared.js", "export const shared = 1;");
        write("README.md", "export default");
        let found = parts(folder.path()).unwrap();
        assert_eq!(found, [("web-vitals.js".to_owned(), folder.path().join("web-vitals.js"))]);
        write("Two.parts.js", "export default () => {};");
        let error = parts(folder.path()).unwrap_err().to_string();
        assert!(error.contains("Two.parts.js is no name for a part"), "{error}");
    }

    #[test]
    fn the_types_name_every_part_that_a_site_can_switch_on() {
        let tracker = place::root().join("sdk-wasm");
        let types = fs::read_to_string(tracker.join("npm/footfall.d.ts")).unwrap();
        let (_, union) = types.split_once("export type Part =").unwrap();
        let (union, _) = union.split_once(';').unwrap();
        let mut named: Vec<_> = union.split('\'').skip(1).step_by(2).collect();
        named.sort_unstable();
        let parts = parts(&tracker.join("parts")).unwrap();
        // Traits are hashed without being asked for.
        let parts = parts.iter().filter_map(|(name, _)| name.strip_suffix(".js"));
        assert_eq!(named, parts.filter(|name| *name != "traits").collect::<Vec<_>>());
    }
}
