//! The assistant's words in German.

use crate::Credits;
use crate::conversation::line::{Line, Missing, Welcome};
use crate::generation_request::Status;
use crate::language::Language::German;

pub(super) fn text(line: &Line) -> String {
    match line {
        Line::GotIt => "Alles klar! 🎮 Ich mache mich gleich daran …".to_owned(),
        Line::WhichVersion => "Welche Routix-Version soll zeichnen?".to_owned(),
        Line::NoVersion => {
            "Gerade steht keine Routix-Version bereit. Bitte versuche es später noch einmal.".to_owned()
        }
        Line::AddPicture => "Möchtest du dein Gesicht oder dein Logo hinzufügen?".to_owned(),
        Line::Perfect => "Perfekt! Dein Bild entsteht jetzt … ✨".to_owned(),
        Line::Ready => Status::Completed.sentence(German).to_owned(),
        Line::NotEnoughCredits { required, available } => {
            format!(
                "Dafür brauchst du {} und hast {available}. Es wurde nichts abgebucht.",
                credits(*required)
            )
        }
        Line::VersionInactive { name } => {
            format!("{name} gibt es nicht mehr. Bitte wähle eine andere Version.")
        }
        Line::ContentRejected => {
            "Das kann ich nicht zeichnen: Der Inhalt wurde abgelehnt. Es wurde nichts abgebucht.".to_owned()
        }
        Line::Gone { what } => {
            let what = match what {
                Missing::Picture => "das Bild",
                Missing::Version => "die Version",
            };
            format!("Ich finde {what} nicht mehr. Bitte fang noch einmal an.")
        }
        Line::Failed { reason, returned } => {
            let verb = if returned.0 == 1 { "ist" } else { "sind" };
            format!("{}. {} {verb} wieder auf deinem Konto.", reason.sentence(German), credits(*returned))
        }
    }
}

fn credits(amount: Credits) -> String {
    if amount.0 == 1 { "1 Credit".to_owned() } else { format!("{amount} Credits") }
}

pub(super) fn welcome(name: &str) -> Welcome {
    Welcome {
        greeting: format!("Hallo {name}! Was möchtest du heute zeigen?"),
        suggestions: [
            "Ein Spiel-Thumbnail voller Explosionen",
            "Ein neuer Laptop im Technik-Test",
            "Ruhiges Kochen: Rezept mit frischen Nudeln",
            "Reise in die Berge",
            "30 Tage Liegestütze",
            "So funktionieren Zinsen",
        ],
    }
}
