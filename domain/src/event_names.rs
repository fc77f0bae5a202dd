//! The names and versions under which an aggregate's events are stored, and the way from older versions. The
//! name is the variant's own.

use serde_json::Value;

/// The way of an event from one version to the next: its name, the two versions, and the function that makes the
/// payload of the next one. The function is pure and total, and leaves the marks of personal nodes as they are.
/// Plain values, because the log takes them and knows nothing of this crate.
pub type Upcast = (&'static str, &'static str, &'static str, fn(Value) -> Value);

/// The forms in which one aggregate is stored.
#[derive(Debug, Clone, Copy)]
pub struct StoredForms {
    pub aggregate_type: &'static str,
    /// The form of the state in snapshots.
    pub snapshot_form: &'static str,
    /// Every stored name of an event with its current version.
    pub versions: &'static [(&'static str, &'static str)],
    /// The way from every older version there ever was.
    pub upcasters: &'static [Upcast],
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

            /// The functions that make today's events of older ones.
            pub const UPCASTERS: &'static [crate::Upcast] =
                &[$($($((stringify!($variant), $from, $to, $upcast),)+)?)+];
        }
    };
}

pub(crate) use event_names;
