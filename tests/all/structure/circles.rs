//! No circle between the files of a crate: whoever reads a file needs to read only what it builds on.
//!
//! A file uses another where it writes a path to an item that the other one declares, be it in an import or
//! elsewhere. Paths are followed through modules, imports and what modules pass on (`pub use`), to the file that has the
//! declaration. So these are no uses:
//!
//! - to declare a module (`mod child;`);
//! - to pass a name on (`pub use child::Name;`), unless the file writes that name somewhere else too;
//! - to import a module: the paths that begin with it are.
//!
//! A glob import is a use of the file of its module. Names that come out of macros, and calls of methods, are not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::modules::{Modules, Read};
use super::{packages, root};

/// Imports may name each other in a circle, which compiles where they do not meet.
const STEPS_MAX: usize = 16;

type Uses = BTreeMap<PathBuf, BTreeSet<PathBuf>>;

/// The place that a path leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Module(usize),
    /// An item, declared in this module.
    Item(usize),
}

fn lead(modules: &Modules, from: usize, path: &[String], steps: usize) -> Option<Place> {
    let (first, rest) = path.split_first()?;
    let module = &modules.0[from];
    let mut place = match first.as_str() {
        "crate" => Place::Module(0),
        "self" => Place::Module(from),
        "super" => Place::Module(module.parent?),
        name => named(modules, from, name, steps)?,
    };
    for part in rest {
        place = match place {
            Place::Module(at) if part == "super" => Place::Module(modules.0[at].parent?),
            // What is declared by a macro has no other home than the module that was named.
            Place::Module(at) => named(modules, at, part, steps).unwrap_or(Place::Item(at)),
            Place::Item(_) => place,
        };
    }
    Some(place)
}

/// The place that a name leads to in a module; `None` when it is of another crate, of the language or of a macro.
fn named(modules: &Modules, at: usize, name: &str, steps: usize) -> Option<Place> {
    let steps = steps.checked_sub(1)?;
    let module = &modules.0[at];
    if let Some(child) = module.children.get(name) {
        return Some(Place::Module(*child));
    }
    if module.items.contains(name) {
        return Some(Place::Item(at));
    }
    if let Some(import) = module.imports.iter().find(|import| import.name == name) {
        return lead(modules, at, &import.path, steps);
    }
    let globs = module.imports.iter().filter(|import| import.name == "*");
    let mut globs = globs.filter_map(|glob| match lead(modules, at, &glob.path, steps)? {
        Place::Module(of) if of != at => named(modules, of, name, steps),
        _ => None,
    });
    globs.next()
}

/// Which file uses which, among the files of a crate.
fn uses(root: &Path, read: Read) -> Uses {
    let modules = Modules::of(root, read);
    let mut uses = Uses::new();
    for (at, module) in modules.0.iter().enumerate() {
        let used = uses.entry(module.file.clone()).or_default();
        let mut add = |of: usize| {
            if modules.0[of].file != module.file {
                used.insert(modules.0[of].file.clone());
            }
        };
        for import in &module.imports {
            let is_used = !import.is_passed_on || module.words.contains(&import.name);
            match lead(&modules, at, &import.path, STEPS_MAX) {
                Some(Place::Item(of)) if is_used => add(of),
                Some(Place::Module(of)) if is_used && import.name == "*" => add(of),
                _ => {}
            }
        }
        for path in &module.paths {
            if let Some(Place::Item(of)) = lead(&modules, at, path, STEPS_MAX) {
                add(of);
            }
        }
    }
    uses
}

fn reach<'a>(uses: &'a Uses, from: &'a Path) -> BTreeSet<&'a Path> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![from];
    while let Some(file) = waiting.pop() {
        for used in uses.get(file).into_iter().flatten() {
            if reached.insert(used.as_path()) {
                waiting.push(used);
            }
        }
    }
    reached
}

/// The largest sets of files of which each uses each other, be it by way of others.
fn circles(uses: &Uses) -> BTreeSet<Vec<&Path>> {
    let reached: BTreeMap<&Path, BTreeSet<&Path>> =
        uses.keys().map(|file| (file.as_path(), reach(uses, file))).collect();
    let in_circle = reached.iter().filter(|(file, reached)| reached.contains(*file));
    let circles = in_circle.map(|(file, of_file)| {
        of_file.iter().copied().filter(|other| reached[other].contains(file)).collect()
    });
    circles.collect()
}

#[test]
fn no_files_of_a_crate_use_each_other_in_a_circle() {
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    let mut told = Vec::new();
    for package in packages() {
        for target in package["targets"].as_array().unwrap() {
            let uses = uses(Path::new(target["src_path"].as_str().unwrap()), &read);
            told.extend(circles(&uses).iter().map(|circle| tell(circle, &uses)));
        }
    }
    assert!(told.is_empty(), "files use each other in a circle:\n{}", told.join("\n"));
}

fn shown(file: &Path) -> String {
    file.strip_prefix(root()).unwrap_or(file).display().to_string()
}

fn tell(circle: &[&Path], uses: &Uses) -> String {
    let lines = circle.iter().map(|file| {
        let within = uses[*file].iter().filter(|used| circle.contains(&used.as_path()));
        format!("  {} uses {}", shown(file), within.map(|used| shown(used)).collect::<Vec<_>>().join(", "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The circles of a crate whose files are given.
fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let read = |path: &Path| {
        files.iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| (*text).to_owned())
    };
    let uses = uses(Path::new(files[0].0), &read);
    circles(&uses).into_iter().map(|circle| circle.into_iter().map(shown).collect()).collect()
}

#[test]
fn two_files_that_import_of_each_other_are_a_circle() {
    let circle = circles_of(&[
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a.rs", "use crate::b::B; pub struct A;"),
        ("src/b.rs", "pub struct B; fn f() -> crate::a::A {}"),
    ]);
    assert_eq!(circle, [["src/a.rs", "src/b.rs"]]);
}

#[test]
fn a_parent_that_declares_a_child_and_passes_its_names_on_does_not_use_it() {
    let child = ("src/a/child.rs", "use super::Shared; pub struct Name;");
    let passes_on = "mod child; pub use child::Name; pub struct Shared;";
    assert!(circles_of(&[("src/lib.rs", "mod a;"), ("src/a/mod.rs", passes_on), child]).is_empty());
    let uses_it = format!("{passes_on} fn f() -> Name {{}}");
    let circle = circles_of(&[("src/lib.rs", "mod a;"), ("src/a/mod.rs", &uses_it), child]);
    assert_eq!(circle, [["src/a/child.rs", "src/a/mod.rs"]]);
}

#[test]
fn a_name_is_followed_to_the_file_that_declares_it() {
    let circle = circles_of(&[
        ("src/lib.rs", "mod a; mod b; mod c;"),
        ("src/a/mod.rs", "mod x; mod y; pub use x::X; pub use y::*;"),
        ("src/a/x.rs", "pub struct X;"),
        ("src/a/y.rs", "use crate::b::B; pub struct Y;"),
        // Of `a` only `X` is used, which knows nobody.
        ("src/b.rs", "use crate::a::X; pub struct B;"),
        // `Y` is used through a module and a glob, and it uses `b`, which does not use it.
        ("src/c.rs", "use crate::a as other; fn f() -> other::Y {}"),
    ]);
    assert!(circle.is_empty(), "{circle:?}");
    let circle = circles_of(&[
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a/mod.rs", "mod y; pub use y::*;"),
        ("src/a/y.rs", "use crate::b::B; pub struct Y;"),
        ("src/b.rs", "use crate::a as other; pub struct B(other::Y);"),
    ]);
    assert_eq!(circle, [["src/a/y.rs", "src/b.rs"]]);
}
