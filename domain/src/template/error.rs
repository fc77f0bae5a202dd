//! Why a command to a template was refused.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("this template was uploaded already")]
    AlreadyUploaded,
    #[error("there is no such template")]
    NotUploaded,
    #[error("no analysis of this template is under way")]
    NoAnalysisUnderWay,
}
