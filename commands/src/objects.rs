//! Objects in the store: each has its key written down before it is stored, and is gone before its key is forgotten.

use bytes::Bytes;
use domain::template::StoredPicture;
use event_log::objects::{self, NewObject};
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

impl Commands {
    pub(crate) async fn put_object(
        &self,
        to: Belongs,
        picture: &StoredPicture,
        bytes: Bytes,
    ) -> Result<(), CommandError> {
        let object = NewObject { key: &picture.key, subject: to.subject, owner: to.owner };
        objects::name(self.log.pool(), object).await?;
        Ok(self.providers.objects.put(&picture.key, bytes, &picture.mime).await?)
    }

    /// Deletes an object. Deleting it again changes nothing.
    pub(crate) async fn delete_object(&self, key: &str) -> Result<(), CommandError> {
        self.providers.objects.delete(key).await?;
        Ok(objects::forget(self.log.pool(), key).await?)
    }
}
