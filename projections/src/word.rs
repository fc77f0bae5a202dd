//! A column that holds a word of an enumeration.

use domain::generation_request::Status;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueRef};
use sqlx::{Decode, Postgres, Type};

use crate::credits::TransactionKind;
use crate::templates::TemplateStatus;

/// Reads a text column as a value of `T`. A text that is no word of `T` is an error. The macros of sqlx turn a `Word`
/// into its value.
pub(crate) struct Word<T>(T);

impl<T> Type<Postgres> for Word<T> {
    fn type_info() -> PgTypeInfo {
        <String as Type<Postgres>>::type_info()
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        <String as Type<Postgres>>::compatible(ty)
    }
}

impl<'r, T> Decode<'r, Postgres> for Word<T>
where
    T: TryFrom<String>,
    BoxDynError: From<T::Error>,
{
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(<String as Decode<'r, Postgres>>::decode(value)?.try_into()?))
    }
}

impl From<Word<Self>> for Status {
    fn from(word: Word<Self>) -> Self {
        word.0
    }
}

impl From<Word<Self>> for TemplateStatus {
    fn from(word: Word<Self>) -> Self {
        word.0
    }
}

impl From<Word<Self>> for TransactionKind {
    fn from(word: Word<Self>) -> Self {
        word.0
    }
}
