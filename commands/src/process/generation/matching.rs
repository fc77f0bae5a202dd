//! The choice of templates for a request: something similar of its category, else something similar of any
//! category, else what the house likes best. Only an empty library gives none.

#[cfg(test)]
mod tests;

use crate::{FoundTemplate, ReadSide, ReadSideError, TemplateQuery};
use event_log::Position;

/// The templates to draw by, best first. The read side answers as of the position `after` or later.
pub(super) async fn choose(
    read_side: &dyn ReadSide,
    query: TemplateQuery,
    after: Position,
) -> Result<Vec<FoundTemplate>, ReadSideError> {
    let similar = read_side.matching_templates(&query, after).await?;
    if !similar.is_empty() {
        return Ok(similar);
    }
    if query.category.is_some() {
        let anywhere = TemplateQuery { category: None, ..query.clone() };
        let similar = read_side.matching_templates(&anywhere, after).await?;
        if !similar.is_empty() {
            return Ok(similar);
        }
    }
    read_side.featured_templates(query.limit, after).await
}
