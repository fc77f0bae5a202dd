//! Compares the built rows with the live ones: number and checksum of all rows, in any order.

use event_log::LogError;
use serde::Serialize;
use sqlx::PgConnection;

use super::shape::quoted;

/// The rows of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct TableSum {
    pub rows: i64,
    /// The sum of a 64-bit hash of each row.
    pub checksum: String,
}

/// A table as it is and as it was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    pub table: &'static str,
    pub live: TableSum,
    pub rebuilt: TableSum,
}

impl Comparison {
    pub fn differs(&self) -> bool {
        self.live != self.rebuilt
    }
}

pub(super) async fn sum(
    connection: &mut PgConnection,
    schema: &str,
    tables: &[&'static str],
) -> Result<Vec<TableSum>, LogError> {
    let mut sums = Vec::new();
    for table in tables {
        // A row as text holds every column, so it says as much as the row does.
        let select = format!(
            "SELECT count(*) AS rows, coalesce(sum(hashtextextended(t::text, 0)), 0)::text AS checksum \
             FROM {schema}.{} AS t",
            quoted(table)
        );
        // dynamic: names of schemas and tables cannot be parameters.
        sums.push(sqlx::query_as(&select).fetch_one(&mut *connection).await?);
    }
    Ok(sums)
}
