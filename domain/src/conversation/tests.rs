//! Given, when, then.

use super::*;
use crate::language::Language;
use crate::tests::examples::{ALICE, CHAT, FACE, LOGO, MESSAGE, ROUTIX_V1, ROUTIX_V2};
use crate::tests::examples::{given, hers, minute, title, words};
use crate::{AlgorithmId, AssetId};

const WISH: &str = "A cat that conquers a volcano";

fn start() -> ConversationCommand {
    ConversationCommand::Start {
        conversation_id: CHAT,
        owner: ALICE,
        title: title("New chat"),
        at: minute(0),
    }
}

fn started() -> ConversationEvent {
    ConversationEvent::ConversationStarted {
        conversation_id: CHAT,
        owner: ALICE,
        title: hers(title("New chat")),
        started_at: minute(0),
    }
}

fn rename() -> ConversationCommand {
    ConversationCommand::Rename { title: title("Volcano cats"), at: minute(1) }
}

fn renamed() -> ConversationEvent {
    ConversationEvent::ConversationRenamed {
        title: hers(title("Volcano cats")),
        automatic: false,
        renamed_at: minute(1),
    }
}

fn titled_by_itself() -> ConversationEvent {
    ConversationEvent::ConversationRenamed {
        title: hers(title(WISH)),
        automatic: true,
        renamed_at: minute(2),
    }
}

fn archive() -> ConversationCommand {
    ConversationCommand::Archive { at: minute(9) }
}

fn archived() -> ConversationEvent {
    ConversationEvent::ConversationArchived { archived_at: minute(9) }
}

fn post(text: &str) -> ConversationCommand {
    ConversationCommand::PostText { message_id: MESSAGE, content: words(text), at: minute(2) }
}

fn posted(body: MessageBody, text: &str) -> ConversationEvent {
    message(MessageRole::User, body, Content::Words(hers(words(text))))
}

fn message(role: MessageRole, body: MessageBody, content: Content) -> ConversationEvent {
    ConversationEvent::MessagePosted {
        conversation_id: CHAT,
        message_id: MESSAGE,
        role,
        body,
        content,
        posted_at: minute(2),
        opens_brief: false,
    }
}

fn said(text: &str) -> ConversationEvent {
    posted(MessageBody::Text, text)
}

/// Said, and what the user wants.
fn wished(text: &str) -> ConversationEvent {
    let mut event = said(text);
    if let ConversationEvent::MessagePosted { opens_brief, .. } = &mut event {
        *opens_brief = true;
    }
    event
}

fn choose(algorithm_id: AlgorithmId) -> ConversationCommand {
    ConversationCommand::ChooseAlgorithm {
        message_id: MESSAGE,
        algorithm_id,
        content: words("that one"),
        at: minute(2),
    }
}

fn choice(algorithm_id: AlgorithmId) -> ConversationEvent {
    posted(MessageBody::AlgorithmSelection { algorithm_id }, "that one")
}

fn chosen(algorithm_id: AlgorithmId) -> ConversationEvent {
    ConversationEvent::AlgorithmChosen { conversation_id: CHAT, algorithm_id, chosen_at: minute(2) }
}

fn attach(asset_id: AssetId, kind: PictureKind) -> ConversationCommand {
    ConversationCommand::AttachPicture {
        message_id: MESSAGE,
        asset_id,
        kind,
        content: words("here"),
        at: minute(2),
    }
}

fn upload(asset_id: AssetId, kind: PictureKind) -> ConversationEvent {
    posted(MessageBody::FileUpload { asset_id, asset_type: kind }, "here")
}

fn attached(asset_id: AssetId, kind: PictureKind) -> ConversationEvent {
    ConversationEvent::PictureAttached { asset_id, kind, attached_at: minute(2) }
}

fn completed(algorithm_id: AlgorithmId, face: Option<AssetId>, logo: Option<AssetId>) -> ConversationEvent {
    ConversationEvent::BriefCompleted {
        conversation_id: CHAT,
        prompt: hers(words(WISH)),
        algorithm_id,
        face,
        logo,
        completed_at: minute(2),
    }
}

fn say() -> ConversationCommand {
    ConversationCommand::Say {
        message_id: MESSAGE,
        body: MessageBody::Text,
        line: Line::GotIt,
        language: Language::German,
        at: minute(2),
    }
}

fn answered() -> ConversationEvent {
    let content = Content::Spoken { line: Line::GotIt, language: Language::German };
    message(MessageRole::Assistant, MessageBody::Text, content)
}

/// The user said what they want.
fn waiting_for_algorithm() -> Vec<ConversationEvent> {
    vec![started(), wished(WISH), titled_by_itself()]
}

/// The user said what they want and chose an algorithm.
fn waiting_for_picture() -> Vec<ConversationEvent> {
    [waiting_for_algorithm(), vec![choice(ROUTIX_V1), chosen(ROUTIX_V1)]].concat()
}

#[test]
fn a_chat_starts_with_a_title_that_belongs_to_its_owner() {
    given::<Conversation>(vec![]).when(start()).then_expect_events(vec![started()]);
}

#[test]
fn starting_twice_is_refused_also_when_archived() {
    given::<Conversation>(vec![started()]).when(start()).then_expect_error(ConversationError::AlreadyStarted);
    given::<Conversation>(vec![started(), archived()])
        .when(start())
        .then_expect_error(ConversationError::AlreadyStarted);
}

#[test]
fn a_chat_can_be_renamed_as_often_as_its_owner_likes() {
    given::<Conversation>(vec![started()]).when(rename()).then_expect_events(vec![renamed()]);
    given::<Conversation>(vec![started(), renamed()]).when(rename()).then_expect_events(vec![renamed()]);
}

#[test]
fn the_first_wish_titles_the_chat_and_opens_the_brief() {
    given::<Conversation>(vec![started()])
        .when(post(WISH))
        .then_expect_events(vec![wished(WISH), titled_by_itself()]);
}

#[test]
fn a_chat_that_its_owner_named_keeps_that_title() {
    given::<Conversation>(vec![started(), renamed()]).when(post(WISH)).then_expect_events(vec![wished(WISH)]);
}

#[test]
fn a_second_wish_replaces_the_first_and_leaves_the_title() {
    for history in [waiting_for_algorithm(), waiting_for_picture()] {
        given::<Conversation>(history)
            .when(post("A dog instead"))
            .then_expect_events(vec![wished("A dog instead")]);
    }
}

#[test]
fn choosing_an_algorithm_asks_for_a_picture_next() {
    given::<Conversation>(waiting_for_algorithm())
        .when(choose(ROUTIX_V1))
        .then_expect_events(vec![choice(ROUTIX_V1), chosen(ROUTIX_V1)]);
}

#[test]
fn another_algorithm_can_be_chosen_until_the_brief_is_complete() {
    given::<Conversation>(waiting_for_picture())
        .when(choose(ROUTIX_V2))
        .then_expect_events(vec![choice(ROUTIX_V2), chosen(ROUTIX_V2)]);
    let history = [waiting_for_picture(), vec![choice(ROUTIX_V2), chosen(ROUTIX_V2)]].concat();
    given::<Conversation>(history)
        .when(post("skip"))
        .then_expect_events(vec![said("skip"), completed(ROUTIX_V2, None, None)]);
}

#[test]
fn an_algorithm_without_a_wish_is_refused() {
    given::<Conversation>(vec![started()])
        .when(choose(ROUTIX_V1))
        .then_expect_error(ConversationError::NoOpenBrief);
    let history = [waiting_for_picture(), vec![said("skip"), completed(ROUTIX_V1, None, None)]].concat();
    given::<Conversation>(history).when(choose(ROUTIX_V1)).then_expect_error(ConversationError::NoOpenBrief);
}

#[test]
fn a_face_completes_a_brief_that_waits_for_it() {
    given::<Conversation>(waiting_for_picture()).when(attach(FACE, PictureKind::Face)).then_expect_events(
        vec![
            upload(FACE, PictureKind::Face),
            attached(FACE, PictureKind::Face),
            completed(ROUTIX_V1, Some(FACE), None),
        ],
    );
}

#[test]
fn a_logo_completes_a_brief_that_waits_for_it() {
    given::<Conversation>(waiting_for_picture()).when(attach(LOGO, PictureKind::Logo)).then_expect_events(
        vec![
            upload(LOGO, PictureKind::Logo),
            attached(LOGO, PictureKind::Logo),
            completed(ROUTIX_V1, None, Some(LOGO)),
        ],
    );
}

#[test]
fn pictures_attached_before_the_wish_are_kept_for_it() {
    given::<Conversation>(vec![started()])
        .when(attach(FACE, PictureKind::Face))
        .then_expect_events(vec![upload(FACE, PictureKind::Face), attached(FACE, PictureKind::Face)]);
    let history = [waiting_for_picture(), vec![attached(FACE, PictureKind::Face)]].concat();
    given::<Conversation>(history).when(attach(LOGO, PictureKind::Logo)).then_expect_events(vec![
        upload(LOGO, PictureKind::Logo),
        attached(LOGO, PictureKind::Logo),
        completed(ROUTIX_V1, Some(FACE), Some(LOGO)),
    ]);
}

#[test]
fn a_face_attached_again_takes_the_place_of_the_first() {
    let history = [waiting_for_picture(), vec![attached(LOGO, PictureKind::Face)]].concat();
    given::<Conversation>(history).when(attach(FACE, PictureKind::Face)).then_expect_events(vec![
        upload(FACE, PictureKind::Face),
        attached(FACE, PictureKind::Face),
        completed(ROUTIX_V1, Some(FACE), None),
    ]);
}

#[test]
fn the_pictures_of_one_brief_do_not_appear_in_the_next() {
    let history = [
        waiting_for_picture(),
        vec![attached(FACE, PictureKind::Face), completed(ROUTIX_V1, Some(FACE), None)],
        vec![wished(WISH), chosen(ROUTIX_V1)],
    ];
    given::<Conversation>(history.concat())
        .when(post("skip"))
        .then_expect_events(vec![said("skip"), completed(ROUTIX_V1, None, None)]);
}

#[test]
fn skip_in_any_letters_completes_a_brief_that_waits_for_a_picture() {
    for word in ["skip", "SKIP", " Skip "] {
        given::<Conversation>(waiting_for_picture())
            .when(post(word))
            .then_expect_events(vec![said(word), completed(ROUTIX_V1, None, None)]);
    }
}

#[test]
fn skip_is_a_wish_like_any_other_while_no_picture_is_asked_for() {
    given::<Conversation>(waiting_for_algorithm())
        .when(post("skip"))
        .then_expect_events(vec![wished("skip")]);
}

#[test]
fn a_wish_that_only_begins_with_skip_is_a_wish() {
    given::<Conversation>(waiting_for_picture())
        .when(post("skip the volcano"))
        .then_expect_events(vec![wished("skip the volcano")]);
}

#[test]
fn the_assistant_speaks_without_touching_the_brief() {
    given::<Conversation>(waiting_for_algorithm()).when(say()).then_expect_events(vec![answered()]);
    given::<Conversation>([waiting_for_picture(), vec![answered()]].concat())
        .when(post("skip"))
        .then_expect_events(vec![said("skip"), completed(ROUTIX_V1, None, None)]);
}

#[test]
fn a_chat_can_be_archived_once() {
    given::<Conversation>(vec![started()]).when(archive()).then_expect_events(vec![archived()]);
    given::<Conversation>(vec![started(), archived()]).when(archive()).then_expect_events(vec![]);
}

#[test]
fn a_result_under_way_still_reaches_an_archived_chat() {
    given::<Conversation>(vec![started(), archived()]).when(say()).then_expect_events(vec![answered()]);
}

#[test]
fn its_owner_can_change_nothing_in_an_archived_chat() {
    let history = [waiting_for_picture(), vec![archived()]].concat();
    for command in [rename(), post(WISH), choose(ROUTIX_V1), attach(FACE, PictureKind::Face)] {
        given::<Conversation>(history.clone()).when(command).then_expect_error(ConversationError::Archived);
    }
}

#[test]
fn a_chat_that_never_started_can_do_nothing() {
    for command in
        [rename(), archive(), post(WISH), choose(ROUTIX_V1), attach(FACE, PictureKind::Face), say()]
    {
        given::<Conversation>(vec![]).when(command).then_expect_error(ConversationError::NotStarted);
    }
}

#[test]
fn a_chat_is_its_owners_open_or_archived() {
    use cqrs_es::Aggregate;
    let mut conversation = Conversation::default();
    assert_eq!(conversation.chat(), None);
    for event in [started(), archived()] {
        conversation.apply(event);
        assert_eq!(conversation.chat().map(|chat| chat.owner), Some(ALICE));
    }
}

/// In the log, in rows and in the API it is the same word.
#[test]
fn kinds_of_messages_and_of_pictures_are_stored_under_the_names_that_clients_see() {
    let bodies = [
        (MessageBody::Text, "text"),
        (MessageBody::AlgorithmSelection { algorithm_id: ROUTIX_V1 }, "algorithm_selection"),
        (MessageBody::FileUpload { asset_id: FACE, asset_type: PictureKind::Face }, "file_upload"),
        (MessageBody::AlgorithmSelect { options: vec![] }, "algorithm_select"),
        (MessageBody::UploadRequest { accepted_types: vec![], max_bytes: 1 }, "upload_request"),
        (
            MessageBody::ThumbnailResult {
                request_id: crate::tests::examples::ORDER,
                generation_time_ms: 1,
                algorithm: "Routix v1".to_owned(),
            },
            "thumbnail_result",
        ),
    ];
    for (body, name) in bodies {
        assert_eq!((body.type_name(), &serde_json::to_value(&body).unwrap()["kind"]), (name, &name.into()));
    }
    for (kind, name) in [(PictureKind::Face, "face"), (PictureKind::Logo, "logo")] {
        assert_eq!((kind.name(), serde_json::to_value(kind).unwrap()), (name, name.into()));
    }
}

#[test]
fn the_text_of_a_message_is_what_a_person_wrote_or_what_the_line_says() {
    assert_eq!(Content::Words(hers(words(WISH))).text(), WISH);
    let spoken = Content::Spoken { line: Line::Ready, language: Language::English };
    assert_eq!(spoken.text(), Line::Ready.text(Language::English));
    assert!(!spoken.text().is_empty());
}
