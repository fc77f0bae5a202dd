//! People who do things: the commands behind the events that the tests project.

use cqrs_es::Aggregate;
use domain::algorithm::{Algorithm, AlgorithmCommand, Definition};
use domain::asset::{Asset, AssetCommand};
use domain::conversation::{Conversation, ConversationCommand, PictureKind};
use domain::credit_ledger::{CreditLedger, CreditLedgerCommand, GrantReason};
use domain::generation_request::{GenerationRequest, GenerationRequestCommand, Intent, Job, TemplateMatch};
use domain::session::{Session, SessionCommand, TokenHash};
use domain::template::{Analysis, Embedding, StoredPicture, Template, TemplateCommand};
use domain::user::{Role, User, UserCommand};
use domain::{
    AlgorithmId, AssetId, AttemptId, ConversationId, Credits, CustomText, EmailAddress, GrantId, MessageId,
    MessageText, MicroUsd, Personal, Prompt, RequestId, SessionId, Slug, TemplateId, Timestamp, Title,
    UserId, Username,
};
use event_log::{Actor, CommandContext, EventLog, ReceiptLife, clock};
use serde_json::json;
use uuid::Uuid;

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_767_225_600 + seconds, 0).unwrap()
}

pub fn id() -> Uuid {
    clock::new_id()
}

fn context(owner: Option<UserId>) -> CommandContext {
    CommandContext {
        actor: owner.map_or(Actor::Anonymous, |owner| Actor::User(owner.0)),
        owner: owner.map(|owner| owner.0),
        command_id: clock::new_id(),
        fingerprint: vec![],
        receipt: ReceiptLife::Client,
        correlation_id: clock::new_id(),
        causation_id: None,
        ip: None,
        user_agent: None,
        traceparent: None,
        language: None,
    }
}

/// Sends commands to one aggregate and tells the position of the last event.
pub async fn tell<A>(
    log: &EventLog,
    owner: Option<UserId>,
    id: Uuid,
    commands: impl IntoIterator<Item = A::Command>,
) -> i64
where
    A: Aggregate<Services = ()> + Clone + 'static,
    A::Command: Clone + std::fmt::Debug + Send + Sync,
    anyhow::Error: From<A::Error>,
{
    let unit = log.unit::<anyhow::Error>(context(owner)).execute::<A>(id, commands);
    unit.commit().await.unwrap().position.get()
}

pub async fn register(log: &EventLog, name: &str) -> UserId {
    let user = UserId(id());
    let command = UserCommand::Register {
        user_id: user,
        email: EmailAddress::parse(&format!("{name}@example.com")).unwrap(),
        username: Username::parse(name).unwrap(),
        password_hash: "$argon2id$…".to_owned(),
        role: Role::User,
        at: at(0),
    };
    tell::<User>(log, Some(user), user.0, [command]).await;
    user
}

pub async fn log_in(log: &EventLog, user: UserId, seconds: i64) -> SessionId {
    let session = SessionId(id());
    let command = SessionCommand::Start {
        session_id: session,
        user_id: user,
        token: TokenHash("00".to_owned()),
        at: at(seconds),
        expires_at: at(seconds + 600),
    };
    tell::<Session>(log, Some(user), session.0, [command]).await;
    session
}

pub async fn start_chat(log: &EventLog, user: UserId, title: &str) -> ConversationId {
    let chat = ConversationId(id());
    let command = ConversationCommand::Start {
        conversation_id: chat,
        owner: user,
        title: Title::parse(title).unwrap(),
        at: at(1),
    };
    tell::<Conversation>(log, Some(user), chat.0, [command]).await;
    chat
}

pub async fn say(log: &EventLog, user: UserId, chat: ConversationId, text: &str) -> i64 {
    let command = ConversationCommand::PostText {
        message_id: MessageId(id()),
        content: MessageText::parse(text).unwrap(),
        at: at(2),
    };
    tell::<Conversation>(log, Some(user), chat.0, [command]).await
}

pub async fn choose(log: &EventLog, user: UserId, chat: ConversationId, algorithm: AlgorithmId) -> i64 {
    let command = ConversationCommand::ChooseAlgorithm {
        message_id: MessageId(id()),
        algorithm_id: algorithm,
        content: MessageText::parse("Routix Pro").unwrap(),
        at: at(3),
    };
    tell::<Conversation>(log, Some(user), chat.0, [command]).await
}

pub async fn define_algorithm(log: &EventLog, slug: &str, credits: u32) -> AlgorithmId {
    let algorithm = AlgorithmId(id());
    let definition = Definition {
        algorithm_id: algorithm,
        slug: Slug::parse(slug).unwrap(),
        display_name: format!("Routix {slug}"),
        provider: "studio".to_owned(),
        config: json!({ "size": "1280x720" }),
        credit_cost: Credits(credits),
        cost: MicroUsd(40_000),
    };
    tell::<Algorithm>(log, None, algorithm.0, [AlgorithmCommand::Define { definition, at: at(0) }]).await;
    algorithm
}

pub fn picture(key: &str) -> StoredPicture {
    StoredPicture {
        key: key.to_owned(),
        mime: "image/png".to_owned(),
        size_bytes: 2048,
        width: 1280,
        height: 720,
    }
}

pub async fn upload_face(log: &EventLog, user: UserId) -> AssetId {
    let asset = AssetId(id());
    let command = AssetCommand::Upload {
        asset_id: asset,
        owner: user,
        kind: PictureKind::Face,
        picture: picture("assets/face"),
        file_name: "me.png".to_owned(),
        at: at(4),
    };
    tell::<Asset>(log, Some(user), asset.0, [command]).await;
    asset
}

pub async fn grant(log: &EventLog, user: UserId, amount: u32) -> i64 {
    let command = CreditLedgerCommand::Grant {
        user_id: user,
        grant_id: GrantId(id()),
        amount: Credits(amount),
        reason: GrantReason::Signup,
        expires_at: None,
        at: at(0),
    };
    tell::<CreditLedger>(log, Some(user), user.0, [command]).await
}

pub async fn hold(log: &EventLog, user: UserId, request: RequestId, amount: u32) -> i64 {
    let command = CreditLedgerCommand::Hold {
        user_id: user,
        request_id: request,
        amount: Credits(amount),
        low_threshold: Credits(0),
        at: at(5),
    };
    tell::<CreditLedger>(log, Some(user), user.0, [command]).await
}

pub async fn request(
    log: &EventLog,
    user: UserId,
    algorithm: AlgorithmId,
    face: Option<AssetId>,
) -> RequestId {
    let request = RequestId(id());
    let job = Job {
        request_id: request,
        user_id: user,
        conversation_id: None,
        prompt: Personal::new(user, Prompt::parse("gaming explosions").unwrap()),
        custom_text: Some(Personal::new(user, CustomText::parse("EPIC").unwrap())),
        algorithm_id: algorithm,
        algorithm: "Routix Pro".to_owned(),
        provider: "studio".to_owned(),
        config: json!({}),
        credit_cost: Credits(5),
        cost: MicroUsd(40_000),
        face,
        logo: None,
        regenerated_from: None,
    };
    let command = GenerationRequestCommand::Request { job: Box::new(job), at: at(6), deadline_at: at(600) };
    tell::<GenerationRequest>(log, Some(user), request.0, [command]).await;
    request
}

/// The commands of the pipeline's steps up to the attempt, in order.
pub fn steps(attempt: AttemptId, template: Option<TemplateId>) -> Vec<GenerationRequestCommand> {
    let intent = Intent {
        category: "gaming".to_owned(),
        style: "bold".to_owned(),
        mood: "wild".to_owned(),
        energy_level: 9,
        visual_elements: vec!["fire".to_owned()],
        headline: "EPIC".to_owned(),
    };
    let matches = template.map(|template_id| TemplateMatch { template_id, similarity_ppm: 900_000 });
    vec![
        GenerationRequestCommand::StartAnalysis { at: at(7) },
        GenerationRequestCommand::RecordIntent { intent, analyzed_by: "studio".to_owned(), at: at(8) },
        GenerationRequestCommand::RecordMatches { matches: matches.into_iter().collect(), at: at(9) },
        GenerationRequestCommand::RecordPrompt { prompt: "bold fire".to_owned(), at: at(10) },
        GenerationRequestCommand::StartAttempt {
            attempt_id: attempt,
            provider: "studio".to_owned(),
            price: MicroUsd(40_000),
            at: at(11),
        },
    ]
}

pub fn completion(attempt: AttemptId) -> GenerationRequestCommand {
    GenerationRequestCommand::Complete {
        attempt_id: attempt,
        image: picture("results/1"),
        provider_generation_id: "studio-1".to_owned(),
        at: at(34),
    }
}

/// A request from its acceptance to its picture.
pub async fn generate(
    log: &EventLog,
    user: UserId,
    algorithm: AlgorithmId,
    best: Option<TemplateId>,
) -> RequestId {
    let request = request(log, user, algorithm, None).await;
    let attempt = AttemptId(id());
    let mut commands = steps(attempt, best);
    commands.push(completion(attempt));
    tell::<GenerationRequest>(log, Some(user), request.0, commands).await;
    request
}

pub async fn upload_template(log: &EventLog, category: &str) -> TemplateId {
    let template = TemplateId(id());
    let command = TemplateCommand::Upload {
        template_id: template,
        image: picture("templates/1"),
        preview: picture("templates/1-small"),
        category: category.to_owned(),
        tags: vec!["loud".to_owned()],
        description: "A loud one".to_owned(),
        at: at(0),
    };
    tell::<Template>(log, None, template.0, [command]).await;
    template
}

pub fn analysis(vector: Vec<f32>) -> Analysis {
    Analysis {
        style_dna: json!({ "color": { "primary": "#ff0000" } }),
        embedding: Embedding(vector),
        embedding_model: "ngrams-1".to_owned(),
        searchable_text: "loud red".to_owned(),
        category: "Gaming".to_owned(),
        has_face: false,
        has_text: true,
        has_logo: false,
        energy_level: 5,
        analyzed_by: "studio".to_owned(),
        analysis_version: "1.0".to_owned(),
    }
}

pub async fn analyze(log: &EventLog, template: TemplateId, analysis: Analysis) -> i64 {
    let commands = [
        TemplateCommand::StartAnalysis { at: at(1) },
        TemplateCommand::RecordAnalysis { analysis: Box::new(analysis), at: at(2) },
    ];
    tell::<Template>(log, None, template.0, commands).await
}

/// A little of everything, so that no read model is empty.
pub async fn a_busy_day(log: &EventLog) {
    let algorithm = define_algorithm(log, "pro", 5).await;
    let template = upload_template(log, "gaming").await;
    let mut vector = vec![0.0; 1536];
    vector[3] = 1.0;
    analyze(log, template, analysis(vector)).await;
    for name in ["ada", "bob"] {
        let user = register(log, name).await;
        log_in(log, user, 60).await;
        grant(log, user, 20).await;
        upload_face(log, user).await;
        let chat = start_chat(log, user, "New chat").await;
        for number in 0..20 {
            say(log, user, chat, &format!("wish {number}")).await;
        }
        choose(log, user, chat, algorithm).await;
        let request_id = RequestId(id());
        hold(log, user, request_id, 5).await;
        generate(log, user, algorithm, Some(template)).await;
        request(log, user, algorithm, None).await;
    }
}
