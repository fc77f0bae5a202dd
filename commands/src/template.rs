//! Commands to templates, as an admin sends them.

use bytes::Bytes;
use domain::TemplateId;
use domain::Timestamp;
use domain::template::{Template, TemplateCommand};
use event_log::{CommandContext, clock};
use providers::pictures;
use serde::{Deserialize, Serialize};

use crate::objects::Belongs;
use crate::{CommandError, Commands, Done, outcome};

const PREVIEW_WIDTH: u32 = 320;
const WORD_CHARS_MAX: usize = 100;
const TAGS_MAX: usize = 30;
const DESCRIPTION_CHARS_MAX: usize = 1000;

/// An upload as it arrived.
#[derive(Debug, Clone)]
pub struct UploadTemplate {
    pub bytes: Bytes,
    pub category: String,
    pub tags: Vec<String>,
    pub description: String,
}

impl UploadTemplate {
    /// Brings the words into the form in which they are compared, and refuses too many or too long ones.
    fn normalised(mut self) -> Result<Self, CommandError> {
        let too_long = |field, max, actual| domain::TextError::Length { field, min: 1, max, actual };
        let is_control = |text: &String| text.chars().any(|letter| letter.is_control() && letter != '\n');
        if [&self.category, &self.description].into_iter().chain(&self.tags).any(is_control) {
            let reason = "it holds control characters";
            return Err(domain::TextError::Form { field: "description", reason }.into());
        }
        self.category = self.category.trim().to_lowercase();
        let length = self.category.chars().count();
        if length == 0 || length > WORD_CHARS_MAX {
            return Err(too_long("category", WORD_CHARS_MAX, length).into());
        }
        self.tags =
            self.tags.iter().map(|tag| tag.trim().to_lowercase()).filter(|tag| !tag.is_empty()).collect();
        if self.tags.len() > TAGS_MAX {
            return Err(too_long("tags", TAGS_MAX, self.tags.len()).into());
        }
        if let Some(tag) = self.tags.iter().find(|tag| tag.chars().count() > WORD_CHARS_MAX) {
            return Err(too_long("tags", WORD_CHARS_MAX, tag.chars().count()).into());
        }
        let length = self.description.chars().count();
        if length > DESCRIPTION_CHARS_MAX {
            return Err(too_long("description", DESCRIPTION_CHARS_MAX, length).into());
        }
        Ok(self)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadedTemplate {
    pub template_id: TemplateId,
    pub category: String,
    pub tags: Vec<String>,
    pub description: String,
    pub uploaded_at: Timestamp,
}

impl Commands {
    /// Stores a template and its preview. The analysis follows by itself.
    pub async fn upload_template(
        &self,
        mut context: CommandContext,
        upload: UploadTemplate,
    ) -> Result<Done<UploadedTemplate>, CommandError> {
        let UploadTemplate { bytes, category, tags, description } = upload.normalised()?;
        let template_id = TemplateId(clock::derived_id(context.command_id, "template"));
        // Templates belong to the house, whoever uploads them.
        context.owner = None;
        let picture = self.check_picture(bytes, self.settings.template_bytes_max).await?;
        let source = picture.bytes.clone();
        let preview = self.decode(move || pictures::thumbnail(&source, PREVIEW_WIDTH)).await?;
        let belongs = Belongs { subject: template_id.0, owner: None };
        let image = self.store("templates", belongs, picture).await?;
        let preview = self.store("templates/previews", belongs, preview).await?;
        let at = clock::now();
        let command = TemplateCommand::Upload {
            template_id,
            image,
            preview,
            category: category.clone(),
            tags: tags.clone(),
            description: description.clone(),
            at,
        };
        let unit = self.log.unit::<CommandError>(context).create::<Template>(template_id, [command]);
        let uploaded = UploadedTemplate { template_id, category, tags, description, uploaded_at: at };
        outcome::commit(unit, &uploaded).await
    }

    /// Has a template analysed once more.
    pub async fn analyze_template(
        &self,
        mut context: CommandContext,
        template_id: TemplateId,
    ) -> Result<Done<()>, CommandError> {
        context.owner = None;
        let request = TemplateCommand::RequestAnalysis { at: clock::now() };
        let unit = self.log.unit::<CommandError>(context).execute::<Template>(template_id, [request]);
        outcome::commit(unit, &()).await
    }

    /// Puts a template into, or takes it out of, what prompts are matched against.
    pub async fn set_template_active(
        &self,
        mut context: CommandContext,
        template_id: TemplateId,
        active: bool,
    ) -> Result<Done<()>, CommandError> {
        context.owner = None;
        let at = clock::now();
        let command =
            if active { TemplateCommand::Activate { at } } else { TemplateCommand::Deactivate { at } };
        let unit = self.log.unit::<CommandError>(context).execute::<Template>(template_id, [command]);
        outcome::commit(unit, &()).await
    }
}
