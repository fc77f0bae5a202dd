//! Examples of what happens to requests.

use serde_json::json;

use crate::generation_request::{
    AttemptProblem, FailureReason, GenerationRequestEvent, Intent, Job, TemplateMatch,
};
use crate::tests::examples::{
    ALICE, CHAT, FACE, FIRST_TRY, LOGO, ORDER, OTHER_ORDER, ROUTIX_V1, SUNSET, hers, minute, picture,
};
use crate::{Credits, CustomText, MicroUsd, Prompt, TemplateId};

/// A job with everything that may be left out, or without.
fn requested(full: bool) -> GenerationRequestEvent {
    let job = Job {
        request_id: ORDER,
        user_id: ALICE,
        conversation_id: full.then_some(CHAT),
        prompt: hers(Prompt::parse("a cat on a volcano").unwrap()),
        custom_text: full.then(|| hers(CustomText::parse("CAT WINS").unwrap())),
        algorithm_id: ROUTIX_V1,
        algorithm: "Routix v1".to_owned(),
        provider: "studio".to_owned(),
        config: json!({ "finish": "classic" }),
        credit_cost: Credits(2),
        cost: MicroUsd(40_000),
        face: full.then_some(FACE),
        logo: full.then_some(LOGO),
        regenerated_from: full.then_some(OTHER_ORDER),
    };
    GenerationRequestEvent::GenerationRequested {
        job: Box::new(job),
        requested_at: minute(0),
        deadline_at: minute(10),
    }
}

fn completed(selected_template: Option<TemplateId>) -> GenerationRequestEvent {
    GenerationRequestEvent::GenerationCompleted {
        request_id: ORDER,
        attempt_id: FIRST_TRY,
        image: picture("generations/cat.png"),
        provider_generation_id: "g-1".to_owned(),
        selected_template,
        cost: MicroUsd(40_000),
        algorithm: "Routix v1".to_owned(),
        processing_time_ms: 3200,
        completed_at: minute(7),
    }
}

fn on_the_way() -> Vec<GenerationRequestEvent> {
    let intent = Intent {
        category: "animals".to_owned(),
        style: "bold".to_owned(),
        mood: "triumphant".to_owned(),
        energy_level: 9,
        visual_elements: vec!["cat".to_owned()],
        headline: "CAT WINS".to_owned(),
    };
    vec![
        GenerationRequestEvent::AnalysisStarted { request_id: ORDER, started_at: minute(1) },
        GenerationRequestEvent::IntentAnalyzed {
            request_id: ORDER,
            intent: hers(intent),
            analyzed_by: "studio".to_owned(),
            analyzed_at: minute(2),
        },
        GenerationRequestEvent::TemplatesMatched {
            request_id: ORDER,
            matches: vec![TemplateMatch { template_id: SUNSET, similarity_ppm: 870_000 }],
            matched_at: minute(3),
        },
        GenerationRequestEvent::PromptComposed {
            request_id: ORDER,
            prompt: hers("cat, volcano, warm".to_owned()),
            composed_at: minute(4),
        },
        GenerationRequestEvent::AttemptStarted {
            request_id: ORDER,
            attempt_id: FIRST_TRY,
            number: 1,
            provider: "studio".to_owned(),
            price: MicroUsd(40_000),
            started_at: minute(5),
        },
    ]
}

pub(in crate::tests) fn generation_request() -> Vec<GenerationRequestEvent> {
    use {AttemptProblem as Problem, FailureReason as Reason};
    let mut events = vec![requested(true), requested(false)];
    events.extend(on_the_way());
    for problem in [Problem::Refused, Problem::Unavailable, Problem::Failed, Problem::OutcomeUnknown] {
        events.push(GenerationRequestEvent::AttemptEnded {
            request_id: ORDER,
            attempt_id: FIRST_TRY,
            problem,
            ended_at: minute(6),
        });
    }
    events.extend([completed(Some(SUNSET)), completed(None)]);
    for reason in [Reason::ContentRejected, Reason::ProviderUnavailable, Reason::TimedOut, Reason::Internal] {
        events.push(GenerationRequestEvent::GenerationFailed {
            request_id: ORDER,
            reason,
            cost: MicroUsd(40_000),
            failed_at: minute(8),
        });
    }
    events.push(GenerationRequestEvent::GenerationCancelled {
        request_id: ORDER,
        cost: MicroUsd(0),
        cancelled_at: minute(8),
    });
    events
}
