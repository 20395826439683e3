//! Embeds the page, if it was built: every file in `web/dist` becomes an entry of `EMBEDDED`.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let web = Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("../../web");
    println!("cargo:rerun-if-changed=build.rs");
    let dist = web.join("dist");
    // Before the page is built, the folder above, which changes when it is.
    println!("cargo:rerun-if-changed={}", if dist.exists() { &dist } else { &web }.display());
    let mut files = Vec::new();
    if let Ok(entries) = fs::read_dir(dist) {
        for entry in entries {
            files.push(entry?.path().canonicalize()?);
        }
    }
    files.sort();
    let mut list =
        String::from("/// Name and content of every file of the page.\nstatic EMBEDDED: &[(&str, &[u8])] = &[\n");
    for file in files.iter().filter(|file| file.is_file()) {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        writeln!(list, "    ({name:?}, include_bytes!({file:?})),").map_err(io::Error::other)?;
    }
    list.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR").map_err(io::Error::other)?).join("page.rs"), list)
}
