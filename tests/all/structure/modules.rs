//! The modules of a crate, as its text declares them: children, items, imports, and the paths that are written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::tokens::{Token, tokens};

/// An import: `use path as name`; the name of a glob is `*`.
#[derive(Debug, PartialEq, Eq)]
pub struct Import {
    pub path: Vec<String>,
    pub name: String,
    /// Said with `pub`, of whatever reach: the module passes the name on.
    pub is_passed_on: bool,
}

/// A module, in a file of its own or within that of its parent.
#[derive(Debug, Default)]
pub struct Module {
    pub file: PathBuf,
    pub parent: Option<usize>,
    pub children: BTreeMap<String, usize>,
    /// Names of items that are declared here.
    pub items: BTreeSet<String>,
    pub imports: Vec<Import>,
    /// Paths of more than one part, outside of imports.
    pub paths: Vec<Vec<String>>,
    /// Names that stand alone or begin a path, outside of imports.
    pub words: BTreeSet<String>,
}

/// All modules below one root file. The first is the root.
#[derive(Debug, Default)]
pub struct Modules(pub Vec<Module>);

/// Reads the text of a file.
pub type Read<'a> = &'a dyn Fn(&Path) -> Option<String>;

impl Modules {
    pub fn of(root: &Path, read: Read) -> Self {
        let mut modules = Self::default();
        modules.0.push(Module { file: root.to_owned(), ..Module::default() });
        let folder = root.parent().unwrap().to_owned();
        Parser { modules: &mut modules, read }.file(0, &folder);
        modules
    }
}

struct Parser<'a> {
    modules: &'a mut Modules,
    read: Read<'a>,
}

impl Parser<'_> {
    /// `folder` is where the files of the module's children are.
    fn file(&mut self, module: usize, folder: &Path) {
        let file = self.modules.0[module].file.clone();
        let text = (self.read)(&file).unwrap_or_else(|| panic!("{} can be read", file.display()));
        self.block(module, folder, &tokens(&text));
    }

    /// Reads a module's text to its end, or to the brace that closes it, and says how much was read.
    fn block(&mut self, module: usize, folder: &Path, tokens: &[Token]) -> usize {
        let (mut at, mut depth, mut is_public, mut path_attribute) = (0, 0_u32, false, None);
        while let Some(token) = tokens.get(at) {
            let next = tokens.get(at + 1).map_or("", String::as_str);
            match token.as_str() {
                "{" => depth += 1,
                "}" if depth == 0 => return at,
                "}" => depth -= 1,
                "pub" => {
                    is_public = true;
                    at += if next == "(" { length_to(&tokens[at..], ")") } else { 0 } + 1;
                    continue;
                }
                "path" if next == "=" => {
                    path_attribute = tokens.get(at + 2).map(|text| text.replace('"', ""));
                }
                "use" if next != "<" => {
                    let end = at + length_to(&tokens[at..], ";");
                    let imports = imports(&tokens[at + 1..end], is_public);
                    self.modules.0[module].imports.extend(imports);
                    at = end;
                }
                "mod" if depth == 0 => at += self.child(module, folder, &tokens[at..], path_attribute.take()),
                "macro_rules" => {
                    self.modules.0[module].items.extend(tokens.get(at + 2).cloned());
                    at += 2;
                }
                "fn" | "struct" | "enum" | "union" | "trait" | "type" | "static" | "const" if depth == 0 => {
                    self.modules.0[module].items.insert(next.to_owned());
                }
                name if is_name(name) => {
                    at += self.path(module, &tokens[at..], at.checked_sub(1).map(|at| &tokens[at]));
                }
                _ => {}
            }
            is_public = false;
            at += 1;
        }
        at
    }

    /// `mod name;` or `mod name { ... }`. Returns how many tokens follow the first.
    fn child(&mut self, parent: usize, folder: &Path, tokens: &[Token], written: Option<String>) -> usize {
        let name = tokens[1].clone();
        let child = self.modules.0.len();
        let file = self.modules.0[parent].file.clone();
        let is_inline = tokens[2] == "{";
        let beside = folder.join(format!("{name}.rs"));
        let file = match written {
            _ if is_inline => file,
            Some(written) => plain(&file.parent().unwrap().join(written)),
            None if (self.read)(&beside).is_some() => beside,
            None => folder.join(&name).join("mod.rs"),
        };
        let below =
            if file.ends_with("mod.rs") { file.parent().unwrap().to_owned() } else { folder.join(&name) };
        self.modules.0.push(Module { file, parent: Some(parent), ..Module::default() });
        self.modules.0[parent].children.insert(name, child);
        if is_inline {
            return 3 + self.block(child, &below, &tokens[3..]);
        }
        self.file(child, &below);
        2
    }

    /// A name, or a path that begins with it. Returns how many tokens follow the first.
    fn path(&mut self, module: usize, tokens: &[Token], before: Option<&Token>) -> usize {
        let mut parts = vec![tokens[0].clone()];
        while tokens.get(parts.len() * 2 - 1).is_some_and(|token| token == "::")
            && tokens.get(parts.len() * 2).is_some_and(|token| is_name(token))
        {
            parts.push(tokens[parts.len() * 2].clone());
        }
        let length = parts.len() * 2 - 2;
        let goes_on = before.is_some_and(|before| before == "." || before == "::");
        if !goes_on {
            let module = &mut self.modules.0[module];
            module.words.insert(parts[0].clone());
            if parts.len() > 1 {
                module.paths.push(parts);
            }
        }
        length
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn length_to(tokens: &[Token], end: &str) -> usize {
    tokens.iter().position(|token| token == end).unwrap_or(tokens.len())
}

/// The path without `folder/..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path {
        if part == ".." {
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    plain
}

/// The names of one `use`: `a::{b, c::d as e, f::*}`.
fn imports(tokens: &[Token], is_passed_on: bool) -> Vec<Import> {
    let mut found = Vec::new();
    tree(tokens, &mut Vec::new(), &mut |path, name| {
        found.push(Import { path: path.to_vec(), name, is_passed_on });
    });
    found
}

fn tree(tokens: &[Token], prefix: &mut Vec<String>, found: &mut dyn FnMut(&[String], String)) {
    let begun = prefix.len();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "::" => {}
            "{" => {
                let inside = &tokens[at + 1..tokens.len() - 1];
                for branch in branches(inside) {
                    tree(branch, prefix, found);
                }
                prefix.truncate(begun);
                return;
            }
            "*" => {
                found(prefix, "*".to_owned());
                prefix.truncate(begun);
                return;
            }
            "as" => {
                found(prefix, tokens[at + 1].clone());
                prefix.truncate(begun);
                return;
            }
            // `use a::b::{self}` names `b`.
            "self" if !prefix.is_empty() => {}
            name => prefix.push(name.to_owned()),
        }
        at += 1;
    }
    if let Some(name) = prefix.last().cloned() {
        found(prefix, name);
    }
    prefix.truncate(begun);
}

/// Splits at the commas that stand in no inner braces.
fn branches(tokens: &[Token]) -> Vec<&[Token]> {
    let (mut depth, mut begun, mut found) = (0_u32, 0, Vec::new());
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," if depth == 0 => {
                found.push(&tokens[begun..at]);
                begun = at + 1;
            }
            _ => {}
        }
    }
    found.push(&tokens[begun..]);
    found.into_iter().filter(|branch| !branch.is_empty()).collect()
}

#[test]
fn imports_are_taken_apart() {
    let read = |_: &Path| Some("pub(crate) use a::{b, c::{self, d as e}, f::*};".to_owned());
    let modules = Modules::of(Path::new("src/lib.rs"), &read);
    let shown: Vec<String> = modules.0[0]
        .imports
        .iter()
        .map(|import| format!("{} {} {}", import.path.join("::"), import.name, import.is_passed_on))
        .collect();
    assert_eq!(shown, ["a::b b true", "a::c c true", "a::c::d e true", "a::f * true"]);
}
