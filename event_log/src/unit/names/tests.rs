//! What is told of a command.

use super::name_all;

#[derive(Debug)]
#[allow(dead_code, reason = "what is in them must not be told")]
enum Wish {
    Say { words: String },
    Draw(String),
    Leave,
}

#[test]
fn of_a_command_its_name_is_told_and_nothing_that_a_person_said() {
    let mut names = String::new();
    let wishes = [Wish::Say { words: "secret".to_owned() }, Wish::Draw("secret".to_owned()), Wish::Leave];
    name_all(&wishes, &mut names);
    assert_eq!(names, "Say+Draw+Leave");
}
