//! The names and versions under which an aggregate's events are stored. The name is the variant's own.

/// Implements `DomainEvent` for an enum of events and lists every stored name with its current version.
macro_rules! event_names {
    ($events:ident { $($variant:ident => $version:literal),+ $(,)? }) => {
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
        }
    };
}

pub(crate) use event_names;
