//! The list of all projections.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::algorithms::Algorithms;
use crate::assets::Assets;
use crate::conversations::Conversations;
use crate::credits::CreditAccounts;
use crate::generations::Generations;
use crate::history::History;
use crate::runtime::Projection;
use crate::templates::Templates;
use crate::work::WorkToDo;

/// Every projection there is. Each wants a worker in some process.
pub fn all() -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(Accounts),
        Arc::new(Algorithms),
        Arc::new(Assets),
        Arc::new(Conversations),
        Arc::new(CreditAccounts),
        Arc::new(Generations),
        Arc::new(History),
        Arc::new(Templates),
        Arc::new(WorkToDo),
    ]
}
