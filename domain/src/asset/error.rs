//! Why a command to an asset was refused.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssetError {
    #[error("this asset was uploaded already")]
    AlreadyUploaded,
    #[error("there is no such asset")]
    NotUploaded,
}
