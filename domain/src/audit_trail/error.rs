//! Why a command to an audit trail was refused: it never is.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditTrailError {}
