//! The other two engines that the tracker is tested in, beside Chromium: Firefox, and WebKit (Safari's family).

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail, ensure};

use super::browser::named;
use super::debian;
use crate::fetch::GECKODRIVER;
use crate::place::on_path;

/// By commas, where not all are wanted.
const VARIABLE: &str = "FOOTFALL_ENGINES";
const ALL: [&str; 3] = ["chromium", "firefox", "webkit"];

/// A program by the variable that names it, its names on the path, and its package in Debian.
struct Program {
    variable: &'static str,
    names: &'static [&'static str],
    package: &'static str,
}

const FIREFOX: Program =
    Program { variable: "FIREFOX", names: &["firefox-esr", "firefox"], package: "firefox-esr" };
const WEBKIT: Program = Program {
    variable: "WEBKITWEBDRIVER",
    names: &["WebKitWebDriver"],
    package: "webkit2gtk-driver",
};
const XVFB: Program = Program { variable: "XVFB", names: &["Xvfb"], package: "xvfb" };
const FIREFOX_DRIVER: &str = "GECKODRIVER";

/// The engines to test, and the programs that drive them.
pub(crate) struct Engines {
    asked: Vec<String>,
    programs: Vec<(&'static str, PathBuf)>,
}

impl Engines {
    /// Finds what each engine needs; where root may, installs it. Which are left out is said.
    pub(super) fn present() -> Result<Self> {
        let asked = match env::var(VARIABLE) {
            Ok(names) => chosen(&names)?,
            Err(_) => ALL.map(ToOwned::to_owned).to_vec(),
        };
        let has = |engine: &str| asked.iter().any(|name| name == engine);
        for engine in ALL.iter().filter(|engine| !has(engine)) {
            println!("{engine} is left out: {VARIABLE} does not name it");
        }
        let mut programs = Vec::new();
        if has("firefox") {
            programs.extend(found("firefox", &[&FIREFOX])?);
            let driver = match named(FIREFOX_DRIVER)?.or_else(|| on_path(&["geckodriver"])) {
                Some(driver) => driver,
                None => GECKODRIVER.program()?,
            };
            programs.push((FIREFOX_DRIVER, driver));
        }
        if has("webkit") {
            programs.extend(found("webkit", &[&WEBKIT, &XVFB])?);
        }
        for (_, program) in &programs {
            println!("{}", program.display());
        }
        Ok(Self { asked, programs })
    }

    /// Tells the tests which engines there are, and where.
    pub(super) fn name_in(&self, command: &mut Command) {
        command.env(VARIABLE, self.asked.join(","));
        for (variable, program) in &self.programs {
            command.env(variable, program);
        }
    }
}

fn chosen(names: &str) -> Result<Vec<String>> {
    let chosen: Vec<_> = names.split(',').map(|name| name.trim().to_owned()).collect();
    for name in &chosen {
        ensure!(
            ALL.contains(&name.as_str()),
            "{VARIABLE} names {name:?}; there are {}",
            ALL.join(", ")
        );
    }
    Ok(chosen)
}

/// The programs of an engine, installed now where one is missing.
fn found(engine: &str, wanted: &[&'static Program]) -> Result<Vec<(&'static str, PathBuf)>> {
    let mut missing = missing(wanted)?;
    if !missing.is_empty() && debian::install(&missing)? {
        missing = self::missing(wanted)?;
    }
    if !missing.is_empty() {
        let others: Vec<_> = ALL.into_iter().filter(|name| *name != engine).collect();
        bail!(
            "the engine {engine} is missing: install it (Debian: apt-get install {}), name its programs with {}, \
             or leave it out: {VARIABLE}={}",
            missing.join(" "),
            wanted.iter().map(|program| program.variable).collect::<Vec<_>>().join(" and "),
            others.join(",")
        );
    }
    let files = wanted.iter().map(|program| Ok((program.variable, program.file()?)));
    Ok(files.collect::<Result<Vec<_>>>()?.into_iter().filter_map(|(v, f)| Some((v, f?))).collect())
}

fn missing(wanted: &[&'static Program]) -> Result<Vec<&'static str>> {
    let mut missing = Vec::new();
    for program in wanted {
        if program.file()?.is_none() {
            missing.push(program.package);
        }
    }
    Ok(missing)
}

impl Program {
    fn file(&self) -> Result<Option<PathBuf>> {
        Ok(named(self.variable)?.or_else(|| on_path(self.names)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_are_chosen_by_name_and_a_misspelt_one_is_no_silent_skip() {
        assert_eq!(chosen("chromium, webkit").unwrap(), ["chromium", "webkit"]);
        for wrong in ["", "safari", "chromium,", "Firefox"] {
            let said = chosen(wrong).unwrap_err().to_string();
            assert!(said.contains("chromium, firefox, webkit"), "{said}");
        }
    }

    #[test]
    fn what_is_missing_is_told_with_its_package() {
        let nowhere = Program { variable: "NO_SUCH_ENGINE", names: &["no-such"], package: "lost" };
        let nowhere: &'static Program = Box::leak(Box::new(nowhere));
        assert_eq!(missing(&[nowhere]).unwrap(), ["lost"]);
    }
}
