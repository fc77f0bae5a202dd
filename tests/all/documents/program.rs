//! The settings and roles of the program, as its own help tells of them.

use std::collections::BTreeMap;
use std::process::Command;

/// An option of the command line, as the help shows it.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    name: String,
    /// The description and everything in brackets, in one line.
    text: String,
    takes_value: bool,
}

impl Shown {
    /// The text behind `[<key>: ` up to the bracket that closes.
    fn said(&self, key: &str) -> Option<&str> {
        self.text.split(&format!("[{key}: ")).nth(1)?.split(']').next()
    }
}

/// The options in a help text.
fn options(help: &str) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    for line in help.lines() {
        let line = line.trim();
        if line.starts_with('-') {
            let name = line.split_whitespace().find(|word| word.starts_with("--")).unwrap_or(line);
            let takes_value = line.contains('<');
            found.push(Shown { name: name.to_owned(), text: String::new(), takes_value });
        } else if let Some(shown) = found.last_mut() {
            shown.text += " ";
            shown.text += line;
        }
    }
    found
}

fn help(arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_routix-under-test")).args(arguments).env_clear().output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The variables that any command heeds, with their defaults.
pub fn settings() -> BTreeMap<String, Option<String>> {
    variables(&help(&["--help"]))
}

fn variables(help: &str) -> BTreeMap<String, Option<String>> {
    let set = options(help).into_iter().filter_map(|shown| {
        let name = shown.said("env")?.split('=').next()?.to_owned();
        let default = shown.said("default").map(str::to_owned);
        Some((name, if shown.takes_value { default } else { Some("false".to_owned()) }))
    });
    set.collect()
}

/// The roles of a `work` process.
pub fn roles() -> Vec<String> {
    words(&help(&["work", "--help"]), "--role")
}

fn words(help: &str, option: &str) -> Vec<String> {
    let shown = options(help).into_iter().find(|shown| shown.name == option);
    let shown = shown.unwrap_or_else(|| panic!("the help has {option}"));
    let words = shown.said("possible values").unwrap_or_else(|| panic!("{option} has words"));
    words.split(',').map(|word| word.trim().to_owned()).collect()
}

#[test]
fn a_help_text_is_understood() {
    let help = "Options:\n      --role <ROLES>\n          Which work [default: all] [possible values: relay,\n          \
                all]\n      --data <DATA>\n          Where [env: ROUTIX_DATA=/a] [default: .routix]\n      \
                --secret <SECRET>\n          Keep it [env: SECRET]\n      --json\n          Lines [env: JSON=]\n  \
                -h, --help\n          Print help\n";
    assert_eq!(words(help, "--role"), ["relay", "all"]);
    let expected = [("JSON", Some("false")), ("ROUTIX_DATA", Some(".routix")), ("SECRET", None)];
    let expected = expected.map(|(name, default)| (name.to_owned(), default.map(str::to_owned)));
    assert_eq!(variables(help), BTreeMap::from(expected));
}
