//! The bundled fonts, which characters they have, and how wide words are in them.

use std::sync::{Arc, LazyLock};

use resvg::usvg::{self, fontdb};

use super::svg::{Svg, escape};
use crate::ports::{ProviderError, TextStyle};

/// Every font is under the SIL Open Font License 1.1; the texts lie next to the files.
const FILES: [&[u8]; 6] = [
    include_bytes!("../../fonts/Anton-Regular.ttf"),
    include_bytes!("../../fonts/Bangers-Regular.ttf"),
    include_bytes!("../../fonts/ArchivoBlack-Regular.ttf"),
    include_bytes!("../../fonts/RobotoCondensed-Black.ttf"),
    include_bytes!("../../fonts/PlayfairDisplay-Black.ttf"),
    include_bytes!("../../fonts/Lobster-Regular.ttf"),
];

static DATABASE: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut database = fontdb::Database::new();
    for file in FILES {
        database.load_font_source(fontdb::Source::Binary(Arc::new(file)));
    }
    Arc::new(database)
});

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Font {
    Anton,
    Bangers,
    ArchivoBlack,
    RobotoCondensed,
    Playfair,
    Lobster,
}

/// The box of ink of a word at size 100, relative to its origin on the baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ink {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
}

impl Font {
    pub(crate) fn of_style(style: TextStyle) -> Self {
        match style {
            TextStyle::Bold => Self::Anton,
            TextStyle::Playful => Self::Bangers,
            TextStyle::Modern => Self::ArchivoBlack,
            TextStyle::Condensed => Self::RobotoCondensed,
            TextStyle::Classic => Self::Playfair,
            TextStyle::Script => Self::Lobster,
        }
    }

    /// Attributes that select the font in SVG.
    pub(crate) fn attributes(self) -> &'static str {
        match self {
            Self::Anton => "font-family='Anton'",
            Self::Bangers => "font-family='Bangers' letter-spacing='1.5'",
            Self::ArchivoBlack => "font-family='Archivo Black'",
            Self::RobotoCondensed => "font-family='Roboto Condensed' font-weight='900'",
            Self::Playfair => "font-family='Playfair Display' font-weight='900'",
            Self::Lobster => "font-family='Lobster'",
        }
    }

    /// Script letters are made for lower case; all others shout.
    pub(crate) fn case(self, text: &str) -> String {
        if self == Self::Lobster { text.to_owned() } else { text.to_uppercase() }
    }

    pub(crate) fn has(self, c: char) -> bool {
        let latin = matches!(c, ' '..='~' | '\u{A1}'..='\u{AC}' | '\u{AE}'..='\u{B4}' | '\u{B6}'..='\u{17E}'
            | '–' | '—' | '‘'..='‚' | '“'..='„' | '•' | '…' | '€' | '™' | '№');
        let vietnamese = matches!(c, '\u{1EA0}'..='\u{1EF9}' | '\u{1A0}' | '\u{1A1}' | '\u{1AF}' | '\u{1B0}');
        let cyrillic = matches!(c, '\u{400}'..='\u{45F}' | '\u{490}' | '\u{491}');
        let greek =
            matches!(c, '\u{384}'..='\u{38A}' | '\u{38C}' | '\u{38E}'..='\u{3A1}' | '\u{3A3}'..='\u{3CE}');
        match self {
            Self::Anton => (latin || vietnamese) && c != '№',
            Self::Bangers => latin || vietnamese,
            Self::ArchivoBlack => latin,
            Self::RobotoCondensed => latin || vietnamese || cyrillic || greek,
            Self::Playfair | Self::Lobster => latin || vietnamese || cyrillic,
        }
    }

    /// This font when it has every character of `text`, else the one with the widest cover.
    pub(crate) fn covering(self, text: &str) -> Self {
        if self.case(text).chars().all(|c| self.has(c)) { self } else { Self::RobotoCondensed }
    }
}

/// `text` without what no bundled font can draw (emoji, other scripts), blanks collapsed.
pub(crate) fn drawable(text: &str) -> String {
    let kept: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| Font::RobotoCondensed.has(*c))
        .collect();
    let has_words =
        |word: &&str| word.chars().any(char::is_alphanumeric) || matches!(*word, "&" | "+" | "=" | "?" | "!");
    kept.split(' ').filter(|w| !w.is_empty()).filter(has_words).collect::<Vec<_>>().join(" ")
}

pub(crate) fn options() -> usvg::Options<'static> {
    usvg::Options { fontdb: Arc::clone(&DATABASE), ..usvg::Options::default() }
}

/// Measures all texts in one pass; a text without ink has no width.
pub(crate) fn measure(font: Font, texts: &[String]) -> Result<Vec<Ink>, ProviderError> {
    let mut svg = Svg::default();
    let attributes = font.attributes();
    for (index, text) in texts.iter().enumerate() {
        let text = escape(text);
        svg.add(format_args!("<text id='t{index}' {attributes} font-size='100'>{text}</text>"));
    }
    let tree = parse(&svg.finish(1280, 720), &options())?;
    let ink = |index: usize| match tree.node_by_id(&format!("t{index}")) {
        Some(usvg::Node::Text(text)) => {
            let ink = text.flattened().bounding_box();
            Ink { left: ink.x(), top: ink.y(), width: ink.width(), height: ink.height() }
        }
        _ => Ink { left: 0.0, top: 0.0, width: 0.0, height: 0.0 },
    };
    Ok((0..texts.len()).map(ink).collect())
}

/// Parses markup we wrote ourselves.
pub(crate) fn parse(markup: &str, options: &usvg::Options<'_>) -> Result<usvg::Tree, ProviderError> {
    usvg::Tree::from_str(markup, options)
        .map_err(|error| ProviderError::Protocol { reason: format!("the drawing does not parse: {error}") })
}
