//! Why a command to a request was refused.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenerationRequestError {
    #[error("this request was made already")]
    AlreadyRequested,
    #[error("there is no such generation request")]
    NotRequested,
    #[error("this generation request has ended")]
    Ended,
    #[error("this step does not follow from where the request stands")]
    OutOfOrder,
}
