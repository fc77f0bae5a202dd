//! Enums that are stored and sent as a word.

/// Declares an enum whose variants are words in the database and in JSON.
macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::text_enum::UnknownWord;

            fn try_from(word: String) -> Result<Self, Self::Error> {
                Self::parse(&word).ok_or($crate::text_enum::UnknownWord { kind: stringify!($name), word })
            }
        }
    };
}

pub(crate) use text_enum;

/// A row holds a word that this version does not know.
#[derive(Debug, thiserror::Error)]
#[error("{word} is no {kind}")]
pub struct UnknownWord {
    pub kind: &'static str,
    pub word: String,
}
