//! Template analysis: look at the picture, extract the design DNA, embed it, classify. What fails is tried
//! three more times, a minute apart, and then given up with a reason.

use std::time::Duration;

use domain::TemplateId;
use domain::template::{
    Analysis, AnalysisStage, Embedding, Template, TemplateCommand, TemplateError, TemplateState,
};
use event_log::clock;
use event_log::work::ClaimedWork;
use providers::{AnalysisHints, EMBEDDING_DIMENSIONS, ProviderError, template_text};

use super::{Outcome, Step, context, subject};
use crate::{CommandError, Commands};

const PROCESS: &str = "template-analysis";
const ATTEMPTS_MAX: u32 = 4;
const RETRY_DELAY: Duration = Duration::from_mins(1);
const ANALYSIS_VERSION: &str = "1.0";

pub(super) async fn analyze(commands: &Commands, work: &ClaimedWork) -> Step {
    let template_id: TemplateId = subject(work)?;
    let start = TemplateCommand::StartAnalysis { at: clock::now() };
    let unit = commands.log.unit::<CommandError>(context(PROCESS, work, "start"));
    match unit.execute::<Template>(template_id, [start]).commit().await {
        Ok(_) => {}
        // A later cause has been served already.
        Err(CommandError::Template(TemplateError::NoAnalysisUnderWay | TemplateError::NotUploaded)) => {
            return Ok(Outcome::Done);
        }
        Err(error) => return Err(error),
    }
    let loaded = commands.log.load::<Template>(template_id).await?;
    let Template::Uploaded(template) = loaded.state else { return Ok(Outcome::Done) };
    let AnalysisStage::Analyzing { attempt } = template.stage else { return Ok(Outcome::Done) };
    let at = clock::now();
    let (step, command) = match look_at(commands, &template).await {
        Ok(analysis) => ("record", TemplateCommand::RecordAnalysis { analysis: Box::new(analysis), at }),
        Err(error) => {
            let retry_at =
                (error.is_transient() && attempt < ATTEMPTS_MAX).then(|| clock::now() + RETRY_DELAY);
            tracing::warn!(%template_id, attempt, %error, "a template could not be analysed");
            ("fail", TemplateCommand::RecordFailure { reason: error.to_string(), retry_at, at })
        }
    };
    let unit = commands.log.unit::<CommandError>(context(PROCESS, work, step));
    match unit.execute::<Template>(template_id, [command]).commit().await {
        Ok(_) | Err(CommandError::Template(TemplateError::NoAnalysisUnderWay)) => Ok(Outcome::Done),
        Err(error) => Err(error),
    }
}

async fn look_at(commands: &Commands, template: &TemplateState) -> Result<Analysis, ProviderError> {
    let providers = &commands.providers;
    let picture = commands.object(None, &template.image.key).await.map_err(|error| match error {
        CommandError::Provider(error) => error,
        other => ProviderError::Io { reason: other.to_string() },
    })?;
    let hints = AnalysisHints {
        category: Some(template.category.clone()),
        tags: template.tags.clone(),
        description: Some(template.description.clone()),
    };
    let dna = providers.analyzer.design_dna(&picture.bytes, &hints).await?;
    let protocol = |reason: String| ProviderError::Protocol { reason };
    dna.validate().map_err(|error| protocol(error.to_string()))?;
    let searchable_text = template_text(&dna, &template.category, &template.tags, &template.description);
    let vector = providers.embedder.embed(&searchable_text).await?;
    if vector.len() != EMBEDDING_DIMENSIONS || vector.iter().any(|value| !value.is_finite()) {
        return Err(protocol(format!("{} dimensions instead of {EMBEDDING_DIMENSIONS}", vector.len())));
    }
    Ok(Analysis {
        embedding: Embedding(vector),
        embedding_model: providers.embedder.model().to_owned(),
        searchable_text,
        category: template.category.clone(),
        has_face: dna.visual_elements.has_human_face,
        has_text: dna.visual_elements.has_text_overlay,
        has_logo: dna.visual_elements.has_logo_branding,
        energy_level: dna.style_characteristics.energy_level,
        analyzed_by: providers.analyzer.name().to_owned(),
        analysis_version: ANALYSIS_VERSION.to_owned(),
        style_dna: serde_json::to_value(&dna).map_err(|error| protocol(error.to_string()))?,
    })
}
