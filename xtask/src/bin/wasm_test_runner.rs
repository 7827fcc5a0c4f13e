//! What cargo runs the tracker's tests with: wasm-bindgen's own runner, as a library at the version that the lock pins.

fn main() -> anyhow::Result<()> {
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::env::args_os())
}
