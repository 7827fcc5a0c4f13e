//! The engine's C interface: the one place of this crate that is not checked by the compiler.
#![allow(unsafe_code, reason = "a C library is loaded and called")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem::ManuallyDrop;
use std::path::Path;

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};

use super::EngineError;

/// `chdb_result *chdb_query_cmdline(int argc, char **argv)`
type QueryCmdline = unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut c_void;
/// `const char *chdb_result_error(chdb_result *result)`
type ResultError = unsafe extern "C" fn(*mut c_void) -> *const c_char;

/// Runs `clickhouse local` with these arguments, the program's name first, and comes back when it does.
pub(super) fn run(library: &Path, argv: &[CString]) -> Result<(), EngineError> {
    let failed = |source| EngineError::Library { library: library.to_owned(), source };
    // SAFETY: loading runs the library's initialisers. It is the ClickHouse engine, pinned by version and
    // checksum or named by the operator, loaded once, before this process has done anything else.
    let engine = unsafe { Library::open(Some(library), RTLD_NOW | RTLD_GLOBAL) }.map_err(failed)?;
    // Never unloaded: its threads may run until the process ends.
    let engine = ManuallyDrop::new(engine);
    // SAFETY: the types are those of the library's header, chdb.h; the symbols do not outlive the library.
    let query = unsafe { engine.get::<QueryCmdline>(b"chdb_query_cmdline\0") }.map_err(failed)?;
    // SAFETY: as above.
    let error = unsafe { engine.get::<ResultError>(b"chdb_result_error\0") }.map_err(failed)?;
    // `main` may write into its arguments, so each is a copy that is C's alone; the process ends after.
    let mut argv: Vec<*mut c_char> = argv.iter().map(|text| text.clone().into_raw()).collect();
    let argc = c_int::try_from(argv.len()).unwrap_or(c_int::MAX);
    argv.push(std::ptr::null_mut());
    // SAFETY: `argv` holds `argc` C strings and a null after them, as for `main`, and outlives the call.
    let result = unsafe { query(argc, argv.as_mut_ptr()) };
    if result.is_null() {
        return Err(EngineError::Engine { message: "it gave no result".to_owned() });
    }
    // SAFETY: the result is the call's own and was not freed.
    let message = unsafe { error(result) };
    if message.is_null() {
        return Ok(());
    }
    // SAFETY: not null, and by the header a C string that lives as long as the result.
    let message = unsafe { CStr::from_ptr(message) };
    Err(EngineError::Engine { message: message.to_string_lossy().into_owned() })
}
