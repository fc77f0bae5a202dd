//! Notes in the database who moves a checkpoint and who claims work, as it happens: what the checker and the
//! fault suite know of it they know from here, and not from what the program says of itself.

use sqlx::{Executor, FromRow, PgPool};

const SCHEMA: &str = "
    CREATE SCHEMA audit;
    CREATE TABLE audit.moves (
        n bigserial PRIMARY KEY,
        projection text NOT NULL,
        old_position bigint,
        position bigint NOT NULL,
        old_epoch bigint,
        epoch bigint NOT NULL,
        process text NOT NULL);
    CREATE TABLE audit.claims (
        work_id uuid NOT NULL,
        fence bigint NOT NULL,
        process text NOT NULL);
    CREATE FUNCTION audit.note_move() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            INSERT INTO audit.moves (projection, position, epoch, process)
            VALUES (NEW.projection, NEW.position, NEW.epoch,
                    coalesce(current_setting('routix.process', true), ''));
        ELSIF OLD.position <> NEW.position OR OLD.epoch <> NEW.epoch THEN
            INSERT INTO audit.moves (projection, old_position, position, old_epoch, epoch, process)
            VALUES (NEW.projection, OLD.position, NEW.position, OLD.epoch, NEW.epoch,
                    coalesce(current_setting('routix.process', true), ''));
        END IF;
        RETURN NULL;
    END $$;
    CREATE FUNCTION audit.note_claim() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO audit.claims VALUES (
            NEW.work_id, NEW.fence, coalesce(current_setting('routix.process', true), ''));
        RETURN NULL;
    END $$;
    CREATE TRIGGER audit_move AFTER INSERT OR UPDATE ON checkpoints
        FOR EACH ROW EXECUTE FUNCTION audit.note_move();
    CREATE TRIGGER audit_claim AFTER UPDATE OF fence ON work
        FOR EACH ROW WHEN (NEW.fence > OLD.fence) EXECUTE FUNCTION audit.note_claim();";

/// A change of a checkpoint.
#[derive(Debug, Clone, FromRow)]
pub struct Move {
    pub projection: String,
    /// Missing where the checkpoint was made.
    pub old_position: Option<i64>,
    pub position: i64,
    pub old_epoch: Option<i64>,
    pub epoch: i64,
    pub process: String,
}

/// Begins to take notes; the schema must be there, and nobody at work yet.
pub async fn install(pool: &PgPool) {
    pool.execute(SCHEMA).await.unwrap();
}

/// Every move since then, in order.
pub async fn moves(pool: &PgPool) -> Vec<Move> {
    sqlx::query_as(
        "SELECT projection, old_position, position, old_epoch, epoch, process FROM audit.moves ORDER BY n",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// How many events the projections that this process leads have still to apply, and how many rows of work it
/// holds.
pub async fn in_the_hands_of(pool: &PgPool, process: &str) -> Result<(i64, i64), sqlx::Error> {
    sqlx::query_as(
        "SELECT (SELECT coalesce(sum(log.head - c.position), 0)::bigint FROM checkpoints AS c, \
                    (SELECT coalesce(max(position), 0) AS head FROM events) AS log \
                 WHERE c.position < log.head AND $1 = ( \
                     SELECT m.process FROM audit.moves AS m WHERE m.projection = c.projection \
                     ORDER BY m.n DESC LIMIT 1)), \
                (SELECT count(*) FROM work AS w JOIN audit.claims AS a USING (work_id, fence) \
                 WHERE w.done_at IS NULL AND w.held_until > clock_timestamp() AND a.process = $1)",
    )
    .bind(process)
    .fetch_one(pool)
    .await
}
