//! The read side: a runtime that applies the log to read models, one folder per read model, and the queries.
//!
//! A read model owns its tables: its `apply` writes them, its `queries` read them, nobody else does either.
//! Everything here can be thrown away and built again from the log. Refuses to decide anything and to know
//! the write side.
//!
//! Queries are checked when they run, not when they are compiled: the schema is made by the embedded stack,
//! so there is no database at compile time.

mod erasure;
mod freshness;
mod page;

pub mod accounts;
pub mod algorithms;
pub mod assets;
pub mod conversations;
pub mod credits;
pub mod generations;
pub mod history;
pub mod runtime;
pub mod templates;
pub mod work;

use std::sync::Arc;

pub use freshness::{Fresh, Reader, Wanted};
pub use page::{PAGE_ROWS_MAX, Page, Rows};
pub use runtime::{ApplyError, PoisonPolicy, Projection, Worker, WorkerStatus};

/// Every projection there is. Each one wants a worker somewhere.
pub fn all() -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(accounts::Accounts),
        Arc::new(algorithms::Algorithms),
        Arc::new(assets::Assets),
        Arc::new(conversations::Conversations),
        Arc::new(credits::CreditAccounts),
        Arc::new(generations::Generations),
        Arc::new(history::History),
        Arc::new(templates::Templates),
        Arc::new(work::WorkToDo),
    ]
}
