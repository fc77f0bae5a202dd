//! The shape of a read model's tables, as statements that make it again somewhere else.

use event_log::LogError;
use sqlx::PgConnection;

/// The statements that make tables like the live ones, in the schema that the search path names first.
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
        for part in parts_of(connection, &model, table).await? {
            if part.late { shape.indexes.push(part.statement) } else { shape.tables.push(part.statement) }
        }
    }
    Ok(shape)
}

/// A statement that makes a part of a table.
struct Part {
    /// The part is made when all rows are there.
    late: bool,
    statement: String,
}

/// Everything that hangs on a table besides its columns. Unqualified: the search path says whose it becomes.
/// A unique index decides what is a conflict, so it has to be there before the first event.
async fn parts_of(connection: &mut PgConnection, model: &str, table: &str) -> Result<Vec<Part>, LogError> {
    let parts = sqlx::query!(
        r#"
        SELECT 1 AS rank, false AS "late!",
               format('ALTER TABLE %I ADD CONSTRAINT %I %s', $2::text, conname, pg_get_constraintdef(oid)) AS "statement!"
        FROM pg_constraint WHERE conrelid = $1::regclass AND contype IN ('p', 'u', 'x')
        UNION ALL
        SELECT 2, NOT i.indisunique, pg_get_indexdef(i.indexrelid, 0, true)
        FROM pg_index AS i
        WHERE i.indrelid = $1::regclass AND i.indisvalid
          AND NOT EXISTS (SELECT 1 FROM pg_constraint AS c
                          WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x'))
        UNION ALL
        SELECT 3, false, pg_get_triggerdef(oid, true)
        FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal
        UNION ALL
        SELECT 4, false, format('ALTER TABLE %I SET (%s)', $2::text, array_to_string(reloptions, ', '))
        FROM pg_class WHERE oid = $1::regclass AND reloptions IS NOT NULL
        UNION ALL
        SELECT 5, false, format('GRANT %s ON %I TO %s', a.privilege_type, $2::text,
               CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
        FROM pg_class AS c CROSS JOIN aclexplode(c.relacl) AS a
        WHERE c.oid = $1::regclass AND a.grantee <> c.relowner
        ORDER BY 1, 3
        "#,
        model as _,
        table,
    );
    let parts = parts.map(|part| Part { late: part.late, statement: part.statement });
    Ok(parts.fetch_all(connection).await?)
}
