//! The tracker's package, as a site's developer builds with it: checked by the real compiler, bundled by a
//! real bundler, run on a server and in a real browser.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use axum::Router;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Html;
use axum::routing::get;
use example_shop::browser::Browser;
use footfall_tests::Stack;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower_http::services::ServeFile;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::own_path::DEVICE;
use crate::sdk::modules;

/// The package's own folder.
fn package() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk-wasm/npm")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// A developer's folder: what they wrote, and the package where npm would put it.
fn project() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&package(), &folder.path().join("node_modules/footfall-tracker"));
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/npm"), folder.path());
    folder
}

fn node(folder: &Path, script: &Path, arguments: &[&str]) -> Output {
    let mut node = Command::new("node");
    node.arg(script).args(arguments).current_dir(folder).output().unwrap()
}

fn ran(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}{failed}", output.status);
    said
}

/// Builds `main.js` for a site; gives the bundle's file.
fn bundle(modules: &Path, folder: &Path, collector: &str, site: &str) -> std::path::PathBuf {
    let esbuild = modules.join("esbuild/bin/esbuild");
    let (site, collector) =
        (format!("--define:SITE=\"{site}\""), format!("--define:COLLECTOR=\"{collector}\""));
    let arguments = ["main.js", "--bundle", "--format=esm", "--minify", "--outfile=bundle.mjs"];
    ran(&node(folder, &esbuild, &[&arguments[..], &[&site, &collector]].concat()));
    folder.join("bundle.mjs")
}

#[test]
fn the_compiler_knows_what_may_be_called() {
    let Some(modules) = modules("npm types") else { return };
    let project = project();
    let tsc = modules.join("typescript/bin/tsc");
    let strict = ["--noEmit", "--strict", "--target", "es2022", "--lib", "es2022,dom"];
    for resolution in [["esnext", "bundler"], ["nodenext", "nodenext"]] {
        let how = ["--module", resolution[0], "--moduleResolution", resolution[1], "sample.ts"];
        ran(&node(project.path(), &tsc, &[&strict[..], &how].concat()));
    }
    // A page with the tag has the file from the collector, and nothing to import.
    let types = project.path().join("footfall.d.ts");
    fs::copy(package().join("footfall.d.ts"), types).unwrap();
    let tagged = ["tag.ts", "footfall.d.ts"];
    ran(&node(project.path(), &tsc, &[&strict[..], &tagged].concat()));
    // The compiler does look: what must be refused is refused without the comment that expects it.
    let sample = fs::read_to_string(project.path().join("sample.ts")).unwrap();
    let refused = sample.matches("// @ts-expect-error").count();
    fs::write(project.path().join("sample.ts"), sample.replace("@ts-expect-error", "")).unwrap();
    let how = ["--module", "esnext", "--moduleResolution", "bundler", "sample.ts"];
    let output = node(project.path(), &tsc, &[&strict[..], &how].concat());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said.matches("error TS").count(), refused, "{said}");
}

#[test]
fn the_package_is_of_the_programs_version() {
    let package = fs::read_to_string(package().join("package.json")).unwrap();
    let package: serde_json::Value = serde_json::from_str(&package).unwrap();
    assert_eq!(package["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn on_a_server_nothing_happens() {
    let Some(modules) = modules("npm on a server") else { return };
    let project = project();
    let bundle = bundle(&modules, project.path(), "http://127.0.0.1:9", "shop");
    assert_eq!(ran(&node(project.path(), &bundle, &[])), "loaded\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundled_page_is_measured_once_under_trusted_types() {
    let Some(modules) = modules("npm in a browser") else { return };
    let stack = Stack::up(&[]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    stack.site("built", &origin).unwrap();
    let project = project();
    let bundle = bundle(&modules, project.path(), &stack.collector, "built");
    let policy = format!(
        "script-src 'self' {0} 'wasm-unsafe-eval'; connect-src {0}; \
         require-trusted-types-for 'script'; trusted-types footfall",
        stack.collector
    );
    let policy = HeaderValue::try_from(policy).unwrap();
    let page = "<!doctype html><title>Built</title><script type=module src=/bundle.mjs></script>";
    let name = HeaderName::from_static("content-security-policy");
    let pages = Router::new()
        .route("/", get(move || async move { Html(page) }))
        .layer(SetResponseHeaderLayer::overriding(name, policy))
        .route_service("/bundle.mjs", ServeFile::new(bundle));
    tokio::spawn(async move { axum::serve(listener, pages).await });

    let browser = Browser::start().await.unwrap();
    let tab = browser.visitor(&DEVICE, "hr-HR", None).await.unwrap();
    tab.come_to(&origin, "").await.unwrap();
    tab.wait_until("window.footfall && footfall.ready && footfall.idle()").await.unwrap();
    assert!(
        tab.holds("document.querySelectorAll('script[src*=\"/s/built.js\"]').length === 1").await
    );
    stack.arrived("built", 3).unwrap();
    let names = "SELECT name FROM footfall.events FINAL
        WHERE site = 'built' AND kind != 'engagement' ORDER BY name";
    let names: Vec<_> = stack.rows(names).unwrap().iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["early", "page_view", "product_added"]);
    tab.close().await.unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}
