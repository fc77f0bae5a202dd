//! The names and versions under which an aggregate's events are stored, and the way from older versions. The
//! name is the variant's own.

use serde_json::Value;

/// What an event of one version looks like in the next. Pure and total: it makes of any stored event of its
/// version one of the next. Personal nodes keep their marks: what was erased stays erased.
#[derive(Debug, Clone, Copy)]
pub struct Upcaster {
    pub event_type: &'static str,
    pub from_version: &'static str,
    pub to_version: &'static str,
    pub upcast: fn(Value) -> Value,
}

/// The events of one aggregate.
#[derive(Debug, Clone, Copy)]
pub struct EventForms {
    pub aggregate_type: &'static str,
    /// Every stored name with its current version.
    pub versions: &'static [(&'static str, &'static str)],
    /// The way from every older version there ever was.
    pub upcasters: &'static [Upcaster],
}

/// Implements `DomainEvent` for an enum of events and lists every stored name with its current version. Behind
/// it stand its older versions, each with the function that makes the next one of it:
/// `CoinsPut => "1.2" ["1.0" to "1.1" by name_the_amount, "1.1" to "1.2" by count_in_cents]`.
macro_rules! event_names {
    ($events:ident {
        $($variant:ident => $version:literal $([$($from:literal to $to:literal by $upcast:path),+])?),+ $(,)?
    }) => {
        impl cqrs_es::DomainEvent for $events {
            fn event_type(&self) -> String {
                match self { $(Self::$variant { .. } => stringify!($variant)),+ }.to_owned()
            }

            fn event_version(&self) -> String {
                match self { $(Self::$variant { .. } => $version),+ }.to_owned()
            }
        }

        impl $events {
            /// Every event of this aggregate: stored name and current version.
            pub const VERSIONS: &'static [(&'static str, &'static str)] = &[$((stringify!($variant), $version)),+];

            /// What makes today's events of older ones.
            pub const UPCASTERS: &'static [crate::Upcaster] = &[$($($(crate::Upcaster {
                event_type: stringify!($variant),
                from_version: $from,
                to_version: $to,
                upcast: $upcast,
            },)+)?)+];
        }
    };
}

pub(crate) use event_names;
