//! The read models of a person: account, chats, messages, assets.

use domain::asset::{Asset, AssetCommand};
use domain::conversation::{Conversation, ConversationCommand, Line, MessageBody};
use domain::language::Language;
use domain::session::{Session, SessionCommand};
use domain::user::{User, UserCommand};
use domain::{ConversationId, MessageId, RequestId, UserId};
use event_log::Position;
use projections::accounts::AccountFilter;
use projections::conversations::{OwnChat, Window};
use projections::{Cursor, Page, Wanted, accounts, assets, conversations};
use serde_json::json;

use crate::examples::{
    at, define_algorithm, generate, id, log_in, register, say, start_chat, tell, upload_face,
};
use crate::stack::Stack;

const FIRST: Page = Page { limit: 20, offset: 0 };

fn own(user: UserId, conversation: ConversationId) -> OwnChat {
    OwnChat { user, conversation }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_tell_who_is_there_and_when_they_logged_in_last() {
    let stack = Stack::with_all_workers().await;
    let (log, reader) = (&stack.log, &stack.reader);
    let ada = register(log, "Ada").await;
    let bob = register(log, "bob").await;
    let session = log_in(log, ada, 60).await;
    tell::<Session>(log, Some(ada), session.0, [SessionCommand::LogOut { at: at(90) }]).await;
    let gone = UserCommand::Deactivate { reason: "spam".to_owned(), at: at(100) };
    let position = tell::<User>(log, None, bob.0, [gone]).await;

    let account =
        accounts::user(reader, Wanted::After(Position::new(position)), ada).await.unwrap().value.unwrap();
    assert_eq!((account.email.as_str(), account.username.as_str()), ("Ada@example.com", "Ada"));
    assert_eq!((account.role.as_str(), account.subscription_tier.as_str()), ("user", "free"));
    assert_eq!((account.is_active, account.last_login), (true, Some(at(60))));
    let sessions = accounts::sessions(reader, Wanted::Now, ada, FIRST).await.unwrap().value;
    assert_eq!(sessions[0].end_reason.as_deref(), Some("logged_out"));

    let filter = |email: Option<&str>, is_active| AccountFilter {
        email: email.map(str::to_owned),
        is_active,
        tier: None,
    };
    let named = accounts::list(reader, Wanted::Now, &filter(Some("ada@"), None), FIRST).await.unwrap().value;
    assert_eq!((named.total, named.rows[0].id), (1, ada.0));
    let off = accounts::list(reader, Wanted::Now, &filter(None, Some(false)), FIRST).await.unwrap().value;
    assert_eq!((off.total, off.rows[0].id), (1, bob.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn chats_are_listed_by_their_last_change_and_messages_in_the_order_they_were_said() {
    let stack = Stack::with_all_workers().await;
    let (log, reader) = (&stack.log, &stack.reader);
    let ada = register(log, "ada").await;
    let bob = register(log, "bob").await;
    let mut chats = Vec::new();
    for title in ["one", "two", "three", "put away"] {
        chats.push(start_chat(log, ada, title).await);
    }
    let archive = ConversationCommand::Archive { at: at(9) };
    tell::<Conversation>(log, Some(ada), chats[3].0, [archive]).await;
    for text in ["first", "second", "third"] {
        say(log, ada, chats[0], text).await;
    }
    let head = log.head().await.unwrap();

    let page = conversations::list(reader, Wanted::After(head), ada, Page::new(2, 0)).await.unwrap().value;
    let titles: Vec<&str> = page.rows.iter().map(|chat| chat.title.as_str()).collect();
    assert_eq!(
        (page.total, titles),
        (3, vec!["first", "three"]),
        "the first message gave the chat its title"
    );
    let cursor = page.next_cursor.unwrap();
    let rest = conversations::list_before(reader, Wanted::Now, ada, Cursor { at: Some(cursor), limit: 2 })
        .await
        .unwrap()
        .value;
    assert_eq!((rest.rows[0].id, rest.rows.len(), rest.next_cursor), (chats[1].0, 1, None));

    let window =
        |window, limit| conversations::messages(reader, Wanted::Now, own(ada, chats[0]), window, limit);
    let said = |page: &conversations::MessagePage| {
        page.messages.iter().map(|message| message.content.clone()).collect::<Vec<_>>()
    };
    let newest = window(Window::Newest, 2).await.unwrap().value.unwrap();
    assert_eq!(said(&newest), ["second", "third"]);
    let older = window(Window::Before(newest.older.unwrap()), 2).await.unwrap().value.unwrap();
    assert_eq!((said(&older), older.older), (vec!["first".to_owned()], None));
    let after = window(Window::After(older.messages[0].position), 1).await.unwrap().value.unwrap();
    assert_eq!((said(&after), after.newer), (vec!["second".to_owned()], Some(after.messages[0].position)));

    let foreign = conversations::get(reader, Wanted::Now, own(bob, chats[0])).await.unwrap();
    assert_eq!((foreign.value, foreign.behind), (None, None));
    let foreign = conversations::messages(reader, Wanted::Now, own(bob, chats[0]), Window::Newest, 9).await;
    assert!(foreign.unwrap().value.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_keeps_what_it_is_besides_its_words() {
    let stack = Stack::with_all_workers().await;
    let (log, reader) = (&stack.log, &stack.reader);
    let ada = register(log, "ada").await;
    let chat = start_chat(log, ada, "New chat").await;
    let request = RequestId(id());
    let card = ConversationCommand::Say {
        message_id: MessageId(id()),
        body: MessageBody::ThumbnailResult {
            request_id: request,
            generation_time_ms: 28_000,
            algorithm: "Routix Pro".to_owned(),
        },
        line: Line::Ready,
        language: Language::German,
        at: at(9),
    };
    let position = tell::<Conversation>(log, Some(ada), chat.0, [card]).await;
    let page = conversations::messages(
        reader,
        Wanted::After(Position::new(position)),
        own(ada, chat),
        Window::Newest,
        50,
    )
    .await;
    let message = page.unwrap().value.unwrap().messages.remove(0);
    assert_eq!((&*message.kind, &*message.role), ("thumbnail_result", "assistant"));
    assert_eq!(message.content, Line::Ready.text(Language::German));
    let metadata: serde_json::Value = serde_json::from_str(message.metadata.get()).unwrap();
    assert_eq!(metadata["image_url"], json!(format!("/api/v1/generation/{request}/image")));
    assert_eq!(metadata["generation_time"], json!("28s"));
}

#[tokio::test(flavor = "multi_thread")]
async fn assets_belong_to_one_person_until_they_are_deleted() {
    let stack = Stack::with_all_workers().await;
    let (log, reader) = (&stack.log, &stack.reader);
    let ada = register(log, "ada").await;
    let face = upload_face(log, ada).await;
    let head = log.head().await.unwrap();
    let mine = assets::list(reader, Wanted::After(head), ada, FIRST).await.unwrap().value;
    assert_eq!((mine.total, mine.rows[0].file_name.as_str()), (1, "me.png"));
    let found = assets::get(reader, Wanted::Now, ada, face).await.unwrap().value.unwrap();
    assert_eq!((found.object_key.as_str(), found.file_size), ("assets/face", 2048));
    assert_eq!(assets::get(reader, Wanted::Now, UserId(id()), face).await.unwrap().value, None);
    let position = tell::<Asset>(log, Some(ada), face.0, [AssetCommand::Delete { at: at(9) }]).await;
    assert_eq!(
        assets::get(reader, Wanted::After(Position::new(position)), ada, face).await.unwrap().value,
        None
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_is_shown_as_erased() {
    let mut stack = Stack::start().await;
    let ada = register(&stack.log, "ada").await;
    let chat = start_chat(&stack.log, ada, "Secret").await;
    say(&stack.log, ada, chat, "my wish").await;
    let algorithm = define_algorithm(&stack.log, "pro", 5).await;
    generate(&stack.log, ada, algorithm, None).await;
    upload_face(&stack.log, ada).await;
    stack.execute("UPDATE data_keys SET wrapped = NULL, erased_at = now()").await;
    stack.log.forget_person(ada.0);
    for projection in projections::all() {
        stack.work(projection);
    }
    stack.all_caught_up().await;

    let account = accounts::user(&stack.reader, Wanted::Now, ada).await.unwrap().value.unwrap();
    assert_eq!((account.email.as_str(), account.username.as_str()), ("erased", "erased"));
    assert_eq!(stack.count("SELECT count(*) FROM messages WHERE content = 'erased'").await, 1);
    assert_eq!(stack.count("SELECT count(*) FROM conversations WHERE title = 'erased'").await, 1);
    assert_eq!(stack.count("SELECT count(*) FROM user_assets WHERE file_name = 'erased'").await, 1);
    let erased =
        "SELECT count(*) FROM generation_requests WHERE prompt = 'erased' AND style_preference = 'erased'";
    assert_eq!(stack.count(erased).await, 1);
    assert_eq!(stack.count("SELECT count(*) FROM parked_events").await, 0);
}
