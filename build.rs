//! Renders the files that ship inside the binary: mocks as JSON with their lists as ready text, and all files as they
//! are written, deflated. So nothing has to be parsed or inflated at the start that may never be asked for.

#[path = "src/mock/assemble.rs"]
mod assemble;

use assemble::{Part, assemble};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the folder"));
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo names the folder"));
    let mut text = String::new();
    for (table, folder) in [("SCENARIOS", "scenarios"), ("GATEWAYS", "gateways"), ("MOCK_FILES", "mocks")] {
        println!("cargo:rerun-if-changed={folder}");
        packed(&mut text, table, &root.join(folder), &out);
    }
    text.push_str("/// The shipped mocks, put together.\npub(crate) static MOCKS: &[MockText] = &[\n");
    for name in folders(&root.join("mocks")) {
        mock(&mut text, &name, &root.join("mocks").join(&name));
    }
    text.push_str("];\n");
    fs::write(out.join("embedded.rs"), text).expect("the output folder can be written");
}

/// The files of a folder, one behind the other and deflated; the table says where each ends.
fn packed(text: &mut String, table: &str, folder: &Path, out: &Path) {
    let (mut all, mut ends) = (String::new(), String::new());
    for path in files(folder) {
        let full = folder.join(&path);
        println!("cargo:rerun-if-changed={}", full.display());
        all.push_str(
            &fs::read_to_string(&full).unwrap_or_else(|error| panic!("{}: {error}", full.display())),
        );
        writeln!(ends, "        ({path:?}, {}),", all.len()).expect("a string");
    }
    let kept = out.join(table.to_lowercase());
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
    deflated.write_all(all.as_bytes()).expect("memory");
    fs::write(&kept, deflated.finish().expect("memory")).expect("the output folder can be written");
    let name = folder.file_name().expect("a folder").display();
    writeln!(
        text,
        "/// The files under `{name}/`, by their path there.\n\
         pub static {table}: &Shelf = {{\n    static KEPT: Shelf = Shelf::new(include_bytes!({kept:?}), &[\n{ends}    ]);\n    &KEPT\n}};"
    )
    .expect("a string");
}

fn mock(text: &mut String, name: &str, folder: &Path) {
    let parts: Vec<Part> =
        files(folder).into_iter().map(|path| (path.clone(), read(&folder.join(path)))).collect();
    let (mock, wrong) = assemble(parts);
    for wrong in &wrong {
        println!("cargo:error=mocks/{name}/{}: {}: {}", wrong.file, wrong.pointer, wrong.message);
    }
    let (server, world) = (mock.server.to_string(), serde_json::Value::Object(mock.world).to_string());
    writeln!(text, "    MockText {{ name: {name:?}, server: {server:?}, world: {world:?}, tools: &[")
        .expect("a string");
    let offers = mock.offers.iter().flatten().filter(|offer| offer.words.is_null()).count();
    let silent = mock.tools.iter().filter(|tool| tool.words.is_null()).count() + offers;
    if silent > 0 {
        println!("cargo:warning=mocks/{name}: {silent} of what it lists have no description and no answers");
    }
    for tool in mock.tools {
        assert_eq!(tool.words.is_null(), tool.file.is_empty(), "words stand in a file");
        let (entry, facts, words) = (tool.entry.to_string(), tool.facts.to_string(), tool.words.to_string());
        let name = tool.name;
        writeln!(
            text,
            "        ToolText {{ name: {name:?}, entry: {entry:?}, facts: {facts:?}, words: {words:?} }},"
        )
        .expect("a string");
    }
    text.push_str("    ], offers: [");
    for offers in mock.offers {
        text.push_str("&[\n");
        for offer in offers {
            assert_eq!(offer.words.is_null(), offer.file.is_empty(), "words stand in a file");
            let (entry, words) = (offer.entry.to_string(), offer.words.to_string());
            let name = offer.name;
            writeln!(text, "        OfferText {{ name: {name:?}, entry: {entry:?}, words: {words:?} }},")
                .expect("a string");
        }
        text.push_str("    ], ");
    }
    text.push_str("] },\n");
}

fn read(path: &Path) -> serde_json::Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if path.extension().is_some_and(|extension| extension == "json") {
        return serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(&text, options)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files under a folder, as paths with slashes, in order; none where there is no such folder.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Stored transcripts are the checkout's own: a run of the shipped files has none to be held against.
        if name.starts_with('.') || name == "snapshots" {
            continue;
        }
        if entry.path().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|path| format!("{name}/{path}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}

fn folders(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
