//! The names of commands, for spans.

#[cfg(test)]
mod tests;

use std::fmt::{Debug, Write};

/// Adds the names of commands: what a derived `Debug` writes first. It is stopped there, because what follows
/// may be the words of a person.
pub(super) fn name_all(commands: &[impl Debug], names: &mut String) {
    struct Name<'a>(&'a mut String);
    impl Write for Name<'_> {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            let end = text.find(|character: char| !character.is_ascii_alphanumeric());
            self.0.push_str(&text[..end.unwrap_or(text.len())]);
            end.map_or(Ok(()), |_| Err(std::fmt::Error))
        }
    }
    for (index, command) in commands.iter().enumerate() {
        if index > 0 {
            names.push('+');
        }
        // An error says only that there was more than the name.
        let _ = write!(Name(names), "{command:?}");
    }
}
