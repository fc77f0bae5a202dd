//! The stored forms of all aggregates, for the log.

use crate::{
    StoredForms, algorithm, asset, audit_trail, conversation, credit_ledger, generation_request, session,
    template, user,
};

/// The stored forms of every aggregate.
pub const fn stored_forms() -> [StoredForms; 9] {
    use cqrs_es::Aggregate;
    macro_rules! forms {
        ($($aggregate:ty, $events:ty;)+) => {
            [$(StoredForms {
                aggregate_type: <$aggregate>::TYPE,
                snapshot_form: <$aggregate>::SNAPSHOT_FORM,
                versions: <$events>::VERSIONS,
                upcasters: <$events>::UPCASTERS,
            }),+]
        };
    }
    forms! {
        algorithm::Algorithm, algorithm::AlgorithmEvent;
        asset::Asset, asset::AssetEvent;
        audit_trail::AuditTrail, audit_trail::AuditTrailEvent;
        conversation::Conversation, conversation::ConversationEvent;
        credit_ledger::CreditLedger, credit_ledger::CreditLedgerEvent;
        generation_request::GenerationRequest, generation_request::GenerationRequestEvent;
        session::Session, session::SessionEvent;
        template::Template, template::TemplateEvent;
        user::User, user::UserEvent;
    }
}
