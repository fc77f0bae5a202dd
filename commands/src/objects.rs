//! Objects in the store: each has its key written down before it is stored, and is gone before its key is forgotten.

use bytes::Bytes;
use domain::UserId;
use domain::template::StoredPicture;
use event_log::objects::{self, NewObject};
use providers::{ProviderError, StoredObject};
use uuid::Uuid;

use crate::{CommandError, Commands};

/// Whose an object is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Belongs {
    /// The aggregate.
    pub(crate) subject: Uuid,
    /// The person, unless it belongs to the house.
    pub(crate) owner: Option<Uuid>,
}

impl Belongs {
    /// The folder of the store that the object lies in: all that is of a person is together.
    pub(crate) fn folder(self, kind: &str) -> String {
        match self.owner {
            Some(owner) => format!("people/{owner}/{kind}"),
            None => format!("house/{kind}"),
        }
    }
}

impl Commands {
    pub(crate) async fn put_object(
        &self,
        to: Belongs,
        picture: &StoredPicture,
        bytes: Bytes,
    ) -> Result<(), CommandError> {
        let object = NewObject { key: &picture.key, subject: to.subject, owner: to.owner };
        objects::name(self.log.pool(), object).await?;
        let sealed = self.log.vault().seal_object(to.owner, &picture.key, &bytes).await?;
        let sealed = sealed.ok_or(CommandError::NotFound { what: "person" })?;
        Ok(self.providers.objects.put(&picture.key, sealed.into(), &picture.mime).await?)
    }

    /// An object of a person, or of the house.
    ///
    /// # Errors
    /// `Provider` with `NotFound` when it is not there, also when its person was erased.
    pub async fn object(&self, owner: Option<UserId>, key: &str) -> Result<StoredObject, CommandError> {
        let object = self.providers.objects.get(key).await?;
        let opened = self.log.vault().open_object(owner.map(|owner| owner.0), key, &object.bytes).await?;
        let bytes = opened.ok_or(ProviderError::NotFound)?.into();
        Ok(StoredObject { bytes, ..object })
    }

    /// Deletes an object. Deleting it again changes nothing.
    pub(crate) async fn delete_object(&self, key: &str) -> Result<(), CommandError> {
        self.providers.objects.delete(key).await?;
        Ok(objects::forget(self.log.pool(), key).await?)
    }
}
