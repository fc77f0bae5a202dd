//! The shape of a read model's tables, as statements that make it again somewhere else.

use event_log::LogError;
use sqlx::{PgConnection, Row};

/// What makes tables like the live ones, in the schema that the search path names first.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Tables, keys, triggers: what events are applied with.
    pub(super) tables: Vec<String>,
    /// Secondary indexes. They are cheaper to build over all rows at once than row by row.
    pub(super) indexes: Vec<String>,
}

/// Text in double quotes, as a name in SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Everything that hangs on a table besides its columns. Unqualified: the search path says whose it becomes.
/// A unique index decides what is a conflict, so it has to be there before the first event.
const PARTS: &str = "\
    SELECT 1 AS rank, false AS late, \
           format('ALTER TABLE %I ADD CONSTRAINT %I %s', $2, conname, pg_get_constraintdef(oid)) AS statement \
    FROM pg_constraint WHERE conrelid = $1::regclass AND contype IN ('p', 'u', 'x') \
    UNION ALL \
    SELECT 2, NOT i.indisunique, pg_get_indexdef(i.indexrelid, 0, true) \
    FROM pg_index AS i \
    WHERE i.indrelid = $1::regclass AND i.indisvalid \
      AND NOT EXISTS (SELECT 1 FROM pg_constraint AS c \
                      WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x')) \
    UNION ALL \
    SELECT 3, false, pg_get_triggerdef(oid, true) \
    FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal \
    UNION ALL \
    SELECT 4, false, format('ALTER TABLE %I SET (%s)', $2, array_to_string(reloptions, ', ')) \
    FROM pg_class WHERE oid = $1::regclass AND reloptions IS NOT NULL \
    UNION ALL \
    SELECT 5, false, format('GRANT %s ON %I TO %s', a.privilege_type, $2, \
           CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END) \
    FROM pg_class AS c CROSS JOIN aclexplode(c.relacl) AS a \
    WHERE c.oid = $1::regclass AND a.grantee <> c.relowner \
    ORDER BY rank, statement";

/// Reads the shape of tables in the schema `live`. The search path must not show tables of the same names
/// before those.
pub(super) async fn shape_of(
    connection: &mut PgConnection,
    live: &str,
    tables: &[&str],
) -> Result<Shape, LogError> {
    let mut shape = Shape::default();
    for table in tables {
        let model = format!("{}.{}", quoted(live), quoted(table));
        let columns = "INCLUDING ALL EXCLUDING INDEXES";
        shape.tables.push(format!("CREATE TABLE {} (LIKE {model} {columns})", quoted(table)));
        let parts = sqlx::query(PARTS).bind(&model).bind(table).fetch_all(&mut *connection).await?;
        for part in parts {
            let (late, statement): (bool, String) = (part.try_get("late")?, part.try_get("statement")?);
            if late { shape.indexes.push(statement) } else { shape.tables.push(statement) }
        }
    }
    Ok(shape)
}
