//! Why a command to an algorithm was refused.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AlgorithmError {
    #[error("this algorithm is defined already")]
    AlreadyDefined,
    #[error("there is no such algorithm")]
    NotDefined,
    #[error("an inactive algorithm cannot be the default")]
    Inactive,
}
