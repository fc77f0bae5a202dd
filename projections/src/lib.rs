//! The read side: a runtime that applies the log to read models, one folder per read model, and the queries.
//!
//! A read model owns its tables: its `apply` writes them, its `queries` read them, nobody else does either.
//! Everything here can be thrown away and built again from the log. Refuses to decide anything and to know
//! the write side.

mod erasure;
mod every;
mod freshness;
mod page;
mod word;

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

pub use every::all;
pub use freshness::{Fresh, Reader, Wanted};
pub use page::{Cursor, PAGE_ROWS_MAX, Page, Rows};
pub use runtime::{ApplyError, Latency, Payloads, PoisonPolicy, Projection, Spec, Worker, WorkerStatus};
