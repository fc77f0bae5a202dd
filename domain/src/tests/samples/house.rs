//! Examples of what happens to what belongs to the house: algorithms and templates.

use serde_json::json;

use crate::algorithm::{AlgorithmEvent, Definition};
use crate::template::{Analysis, Embedding, TemplateEvent};
use crate::tests::examples::{ROUTIX_V1, SUNSET, minute, picture};
use crate::{Credits, MicroUsd, Slug, Timestamp};

pub(super) fn algorithm() -> Vec<AlgorithmEvent> {
    let definition = Definition {
        algorithm_id: ROUTIX_V1,
        slug: Slug::parse("routix_v1").unwrap(),
        display_name: "Routix v1".to_owned(),
        provider: "studio".to_owned(),
        config: json!({ "finish": "classic" }),
        credit_cost: Credits(2),
        cost: MicroUsd(0),
    };
    vec![
        AlgorithmEvent::AlgorithmDefined { definition, defined_at: minute(0) },
        AlgorithmEvent::AlgorithmRepriced {
            credit_cost: Credits(3),
            cost: MicroUsd(40_000),
            repriced_at: minute(1),
        },
        AlgorithmEvent::AlgorithmActivated { activated_at: minute(2) },
        AlgorithmEvent::AlgorithmDeactivated { algorithm_id: ROUTIX_V1, deactivated_at: minute(3) },
        AlgorithmEvent::AlgorithmMadeDefault { algorithm_id: ROUTIX_V1, made_default_at: minute(4) },
    ]
}

pub(super) fn template() -> Vec<TemplateEvent> {
    let analysis = Analysis {
        style_dna: json!({ "palette": ["#ff8800"] }),
        embedding: Embedding(vec![0.6, 0.8]),
        embedding_model: "ngrams-1".to_owned(),
        searchable_text: "a warm sunset".to_owned(),
        category: "travel".to_owned(),
        has_face: false,
        has_text: true,
        has_logo: false,
        energy_level: 4,
        analyzed_by: "studio".to_owned(),
        analysis_version: "1".to_owned(),
    };
    let failed = |retry_at: Option<Timestamp>| TemplateEvent::TemplateAnalysisFailed {
        template_id: SUNSET,
        attempt: 1,
        reason: "away".to_owned(),
        retry_at,
        failed_at: minute(3),
    };
    vec![
        TemplateEvent::TemplateUploaded {
            template_id: SUNSET,
            image: picture("templates/sunset.png"),
            preview: picture("templates/sunset-small.png"),
            category: "travel".to_owned(),
            tags: vec!["sea".to_owned()],
            description: "A sunset".to_owned(),
            uploaded_at: minute(0),
        },
        TemplateEvent::TemplateAnalysisRequested { template_id: SUNSET, requested_at: minute(1) },
        TemplateEvent::TemplateAnalysisStarted { template_id: SUNSET, attempt: 1, started_at: minute(2) },
        TemplateEvent::TemplateAnalyzed {
            template_id: SUNSET,
            analysis: Box::new(analysis),
            analyzed_at: minute(3),
        },
        failed(Some(minute(4))),
        failed(None),
        TemplateEvent::TemplateActivated { activated_at: minute(5) },
        TemplateEvent::TemplateDeactivated { deactivated_at: minute(6) },
    ]
}
