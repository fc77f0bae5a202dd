//! Commands at random: few ids and times, so that they meet, and every kind of every aggregate.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::examples::{ALICE, CHAT, LOGIN, MESSAGE, ORDER, ROUTIX_V1, SUNSET, minute, picture};
use super::lines::examples_of_lines;
use crate::algorithm::{AlgorithmCommand, Definition};
use crate::asset::AssetCommand;
use crate::audit_trail::AuditTrailCommand;
use crate::conversation::{AlgorithmOption, ConversationCommand, Line, MessageBody, PictureKind};
use crate::credit_ledger::{CreditLedgerCommand, GrantReason};
use crate::generation_request::{
    AttemptProblem, FailureReason, GenerationRequestCommand, Intent, Job, TemplateMatch,
};
use crate::language::Language;
use crate::session::{SessionCommand, TokenHash};
use crate::template::{Analysis, Embedding, TemplateCommand};
use crate::user::{AskedBy, Role, UserCommand};
use crate::{
    AlgorithmId, AssetId, AttemptId, Credits, CustomText, EmailAddress, GrantId, MessageText, MicroUsd,
    Personal, Prompt, RequestId, Slug, Timestamp, Title, Username,
};

const TEXT: &str = "[a-zA-Z\"\\\\]{1,10}( [a-zäß語🙂$]{1,8}){0,4}";
const AMOUNT_MAX: u32 = 40;

pub(super) fn time() -> impl Strategy<Value = Timestamp> {
    (0..60i64, 0..1_000_000i64).prop_map(|(m, us)| minute(m) + chrono::Duration::microseconds(us))
}

/// One of three ids.
fn id<T: From<Uuid> + std::fmt::Debug>() -> impl Strategy<Value = T> {
    (1..=3u128).prop_map(|number| T::from(Uuid::from_u128(number)))
}

fn message() -> impl Strategy<Value = MessageText> {
    prop_oneof![
        4 => TEXT.prop_map(|text| MessageText::parse(&text).unwrap()),
        1 => Just(MessageText::parse("skip").unwrap()),
    ]
}

fn line() -> impl Strategy<Value = (Line, Language)> {
    (proptest::sample::select(examples_of_lines()), proptest::sample::select(Language::ALL))
}

fn kind() -> impl Strategy<Value = PictureKind> {
    prop_oneof![Just(PictureKind::Face), Just(PictureKind::Logo)]
}

/// One of two, so that a command meets the hash that an earlier one left.
fn hash() -> impl Strategy<Value = String> {
    prop_oneof![Just("hash 1".to_owned()), Just("hash 2".to_owned())]
}

pub(super) fn user() -> impl Strategy<Value = UserCommand> {
    let register = (TEXT, hash(), prop_oneof![Just(Role::User), Just(Role::Admin)], time()).prop_map(
        |(name, hash, role, at)| UserCommand::Register {
            user_id: ALICE,
            email: EmailAddress::parse("Alice@Example.com").unwrap(),
            username: Username::parse(&name).unwrap(),
            password_hash: hash,
            role,
            at,
        },
    );
    prop_oneof![
        register,
        (hash(), time()).prop_map(|(password_hash, at)| UserCommand::ChangePassword { password_hash, at }),
        (hash(), hash(), time()).prop_map(|(instead_of, password_hash, at)| UserCommand::RaisePasswordHash {
            instead_of,
            password_hash,
            at,
        }),
        (TEXT, time()).prop_map(|(reason, at)| UserCommand::Deactivate { reason, at }),
        time().prop_map(|at| UserCommand::Reactivate { at }),
        (prop_oneof![Just(AskedBy::Operator), Just(AskedBy::Admin { user_id: ALICE })], time())
            .prop_map(|(asked_by, at)| UserCommand::Erase { asked_by, at }),
    ]
}

pub(super) fn session() -> impl Strategy<Value = SessionCommand> {
    let token = || "[ab]".prop_map(TokenHash);
    prop_oneof![
        2 => (token(), time(), time()).prop_map(|(token, at, expires_at)| SessionCommand::Start {
            session_id: LOGIN,
            user_id: ALICE,
            token,
            at,
            expires_at,
        }),
        6 => (token(), token(), time(), time()).prop_map(|(presented, next, at, expires_at)| {
            SessionCommand::Refresh { presented, next, at, expires_at }
        }),
        1 => time().prop_map(|at| SessionCommand::LogOut { at }),
    ]
}

pub(super) fn asset() -> impl Strategy<Value = AssetCommand> {
    prop_oneof![
        (id::<AssetId>(), kind(), TEXT, time()).prop_map(|(asset_id, kind, file_name, at)| {
            AssetCommand::Upload { asset_id, owner: ALICE, kind, picture: picture(&file_name), file_name, at }
        }),
        time().prop_map(|at| AssetCommand::Delete { at }),
    ]
}

pub(super) fn audit_trail() -> impl Strategy<Value = AuditTrailCommand> {
    prop_oneof![
        (TEXT, 0..3u64, time()).prop_map(|(projection, parked, at)| AuditTrailCommand::RetryProjection {
            admin: ALICE,
            projection,
            parked,
            at
        }),
        (id::<Uuid>(), TEXT, time()).prop_map(|(work_id, task, at)| AuditTrailCommand::RetryWork {
            admin: ALICE,
            work_id,
            role: "analysis".to_owned(),
            task,
            at
        }),
    ]
}

pub(super) fn algorithm() -> impl Strategy<Value = AlgorithmCommand> {
    prop_oneof![
        (id::<AlgorithmId>(), TEXT, 0..3u32, time()).prop_map(|(algorithm_id, name, credits, at)| {
            let definition = Definition {
                algorithm_id,
                slug: Slug::parse("routix_v1").unwrap(),
                config: json!({ "name": name, "steps": [credits, null, true] }),
                display_name: name,
                provider: "studio".to_owned(),
                credit_cost: Credits(credits),
                cost: MicroUsd(40_000),
            };
            AlgorithmCommand::Define { definition, at }
        }),
        (0..3u32, 0..3i64, time()).prop_map(|(credits, cost, at)| AlgorithmCommand::Reprice {
            credit_cost: Credits(credits),
            cost: MicroUsd(cost),
            at,
        }),
        time().prop_map(|at| AlgorithmCommand::Activate { at }),
        time().prop_map(|at| AlgorithmCommand::Deactivate { at }),
        time().prop_map(|at| AlgorithmCommand::MakeDefault { at }),
    ]
}

pub(super) fn template() -> impl Strategy<Value = TemplateCommand> {
    let analysis = (TEXT, vec(-1.0f32..1.0, 0..5), any::<(bool, bool, bool)>(), 1..=10u8).prop_map(
        |(text, values, (has_face, has_text, has_logo), energy_level)| {
            Box::new(Analysis {
                style_dna: json!({ "words": text, "weights": [1, 2] }),
                embedding: Embedding(values),
                embedding_model: "studio-1".to_owned(),
                searchable_text: text,
                category: "travel".to_owned(),
                has_face,
                has_text,
                has_logo,
                energy_level,
                analyzed_by: "studio".to_owned(),
                analysis_version: "1".to_owned(),
            })
        },
    );
    prop_oneof![
        1 => (TEXT, vec(TEXT, 0..3), time()).prop_map(|(text, tags, at)| TemplateCommand::Upload {
            template_id: SUNSET,
            image: picture(&text),
            preview: picture("preview"),
            category: text.clone(),
            tags,
            description: text,
            at,
        }),
        1 => time().prop_map(|at| TemplateCommand::RequestAnalysis { at }),
        2 => time().prop_map(|at| TemplateCommand::StartAnalysis { at }),
        1 => (analysis, time()).prop_map(|(analysis, at)| TemplateCommand::RecordAnalysis { analysis, at }),
        1 => (TEXT, option::of(time()), time())
            .prop_map(|(reason, retry_at, at)| TemplateCommand::RecordFailure { reason, retry_at, at }),
        1 => time().prop_map(|at| TemplateCommand::Activate { at }),
        1 => time().prop_map(|at| TemplateCommand::Deactivate { at }),
    ]
}

fn assistant_body() -> impl Strategy<Value = MessageBody> {
    let slug = || Slug::parse("routix_v1").unwrap();
    prop_oneof![
        Just(MessageBody::Text),
        Just(MessageBody::UploadRequest { accepted_types: vec!["image/png".to_owned()], max_bytes: 5 << 20 }),
        Just(MessageBody::ThumbnailResult {
            request_id: ORDER,
            generation_time_ms: 7,
            algorithm: "Routix v1".to_owned(),
        }),
        (id::<AlgorithmId>(), TEXT, 0..9u32).prop_map(move |(id, name, credits)| {
            let option = AlgorithmOption { id, slug: slug(), name, credit_cost: Credits(credits) };
            MessageBody::AlgorithmSelect { options: vec![option] }
        }),
    ]
}

pub(super) fn conversation() -> impl Strategy<Value = ConversationCommand> {
    let text = || TEXT.prop_map(|text| Title::parse(&text).unwrap());
    prop_oneof![
        8 => (text(), time()).prop_map(|(title, at)| ConversationCommand::Start {
            conversation_id: CHAT,
            owner: ALICE,
            title,
            at,
        }),
        4 => (text(), time()).prop_map(|(title, at)| ConversationCommand::Rename { title, at }),
        1 => time().prop_map(|at| ConversationCommand::Archive { at }),
        8 => (message(), time()).prop_map(|(content, at)| ConversationCommand::PostText {
            message_id: MESSAGE,
            content,
            at,
        }),
        8 => (id::<AlgorithmId>(), message(), time()).prop_map(|(algorithm_id, content, at)| {
            ConversationCommand::ChooseAlgorithm { message_id: MESSAGE, algorithm_id, content, at }
        }),
        8 => (id::<AssetId>(), kind(), message(), time()).prop_map(|(asset_id, kind, content, at)| {
            ConversationCommand::AttachPicture { message_id: MESSAGE, asset_id, kind, content, at }
        }),
        4 => (line(), assistant_body(), time()).prop_map(|((line, language), body, at)| {
            ConversationCommand::Say { message_id: MESSAGE, body, line, language, at }
        }),
    ]
}

pub(super) fn generation_request() -> impl Strategy<Value = GenerationRequestCommand> {
    use GenerationRequestCommand as Command;
    let job = (TEXT, option::of(TEXT), option::of(id::<AssetId>())).prop_map(|(prompt, custom, face)| {
        Box::new(Job {
            request_id: ORDER,
            user_id: ALICE,
            conversation_id: Some(CHAT),
            prompt: Personal::new(ALICE, Prompt::parse(&prompt).unwrap()),
            custom_text: custom.map(|text| Personal::new(ALICE, CustomText::parse(&text).unwrap())),
            algorithm_id: ROUTIX_V1,
            algorithm: "Routix v1".to_owned(),
            provider: "studio".to_owned(),
            config: json!({ "quality": 2 }),
            credit_cost: Credits(1),
            cost: MicroUsd(40_000),
            face,
            logo: None,
            regenerated_from: None,
        })
    });
    let intent = (TEXT, vec(TEXT, 0..3), 1..=10u8).prop_map(|(text, visual_elements, energy_level)| Intent {
        category: text.clone(),
        style: text.clone(),
        mood: text.clone(),
        energy_level,
        visual_elements,
        headline: text,
    });
    let found = (id(), -1_000_000..=1_000_000)
        .prop_map(|(template_id, similarity_ppm)| TemplateMatch { template_id, similarity_ppm });
    let problem = prop_oneof![Just(AttemptProblem::Failed), Just(AttemptProblem::OutcomeUnknown)];
    let reason = prop_oneof![Just(FailureReason::Internal), Just(FailureReason::ContentRejected)];
    prop_oneof![
        8 => (job, time(), time()).prop_map(|(job, at, deadline_at)| Command::Request { job, at, deadline_at }),
        8 => time().prop_map(|at| Command::StartAnalysis { at }),
        8 => (intent, TEXT, time())
            .prop_map(|(intent, analyzed_by, at)| Command::RecordIntent { intent, analyzed_by, at }),
        8 => (vec(found, 0..3), time()).prop_map(|(matches, at)| Command::RecordMatches { matches, at }),
        8 => (TEXT, time()).prop_map(|(prompt, at)| Command::RecordPrompt { prompt, at }),
        8 => (id::<AttemptId>(), 0..100_000i64, time()).prop_map(|(attempt_id, price, at)| {
            Command::StartAttempt { attempt_id, provider: "studio".to_owned(), price: MicroUsd(price), at }
        }),
        8 => (id::<AttemptId>(), problem, time())
            .prop_map(|(attempt_id, problem, at)| Command::EndAttempt { attempt_id, problem, at }),
        6 => (id::<AttemptId>(), TEXT, time()).prop_map(|(attempt_id, key, at)| Command::Complete {
            attempt_id,
            image: picture(&key),
            provider_generation_id: key,
            at,
        }),
        1 => (reason, time()).prop_map(|(reason, at)| Command::Fail { reason, at }),
        1 => time().prop_map(|at| Command::Cancel { at }),
    ]
}

pub(super) fn credit_ledger() -> impl Strategy<Value = CreditLedgerCommand> {
    use CreditLedgerCommand as Command;
    let amount = || (0..=AMOUNT_MAX).prop_map(Credits);
    let reason = prop_oneof![
        Just(GrantReason::Signup),
        Just(GrantReason::TopUp),
        Just(GrantReason::Adjustment),
        Just(GrantReason::Refund),
    ];
    let order = id::<RequestId>;
    prop_oneof![
        3 => (id::<GrantId>(), amount(), reason, option::of(time()), time()).prop_map(
            |(grant_id, amount, reason, expires_at, at)| Command::Grant {
                user_id: ALICE,
                grant_id,
                amount,
                reason,
                expires_at,
                at,
            }
        ),
        3 => (order(), amount(), amount(), time()).prop_map(|(request_id, amount, low_threshold, at)| {
            Command::Hold { user_id: ALICE, request_id, amount, low_threshold, at }
        }),
        2 => (order(), time())
            .prop_map(|(request_id, at)| Command::Settle { user_id: ALICE, request_id, at }),
        2 => (order(), time())
            .prop_map(|(request_id, at)| Command::Release { user_id: ALICE, request_id, at }),
        1 => (amount(), TEXT, time())
            .prop_map(|(amount, note, at)| Command::Withdraw { user_id: ALICE, amount, note, at }),
        1 => time().prop_map(|at| Command::Expire { user_id: ALICE, at }),
    ]
}
