//! The things the studio can draw, by name. Each fills a box of -200..200 around the origin.

mod life;
mod play;
mod signs;
mod tones;
mod work;

pub(crate) use tones::Tones;

use super::{art::Art, dice::Dice};

type Draw = fn(&mut Art, &Tones);

const MOTIFS: &[(&str, Draw)] = &[
    ("controller", play::controller),
    ("sword", play::sword),
    ("trophy", play::trophy),
    ("crown", play::crown),
    ("skull", play::skull),
    ("ball", play::ball),
    ("car", play::car),
    ("dumbbell", play::dumbbell),
    ("note", play::note),
    ("headphones", play::headphones),
    ("mic", play::mic),
    ("guitar", play::guitar),
    ("laptop", work::laptop),
    ("chip", work::chip),
    ("phone", work::phone),
    ("robot", work::robot),
    ("camera", work::camera),
    ("book", work::book),
    ("bulb", work::bulb),
    ("atom", work::atom),
    ("chart", work::chart),
    ("coins", work::coins),
    ("cash", work::cash),
    ("megaphone", work::megaphone),
    ("pizza", life::pizza),
    ("pan", life::pan),
    ("burger", life::burger),
    ("cake", life::cake),
    ("coffee", life::coffee),
    ("plane", life::plane),
    ("mountain", life::mountain),
    ("palm", life::palm),
    ("house", life::house),
    ("leaf", life::leaf),
    ("paw", life::paw),
    ("person", life::person),
    ("globe", signs::globe),
    ("rocket", signs::rocket),
    ("fire", signs::fire),
    ("heart", signs::heart),
    ("star", signs::star_sign),
    ("bolt", signs::bolt),
    ("arrow", signs::arrow),
    ("clock", signs::clock),
    ("lock", signs::lock),
    ("gift", signs::gift),
    ("target", signs::target),
    ("warning", signs::warning),
];

/// The drawing of that name.
pub(crate) fn draw(name: &str, tones: &Tones, dice: &mut Dice) -> Option<Art> {
    let mut art = Art::default();
    if name == "explosion" {
        signs::explosion(&mut art, dice);
        return Some(art);
    }
    let (_, draw) = MOTIFS.iter().find(|(known, _)| *known == name)?;
    draw(&mut art, tones);
    Some(art)
}

/// Every name `draw` knows.
#[cfg(test)]
pub(crate) fn names() -> Vec<&'static str> {
    std::iter::once("explosion").chain(MOTIFS.iter().map(|(name, _)| *name)).collect()
}
