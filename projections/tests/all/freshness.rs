//! Reading one's own writes, and what is not there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::UserId;
use event_log::Position;
use projections::conversations::{Conversations, OwnChat, Window, messages};
use projections::{Wanted, accounts};
use sqlx::{Connection, Executor, PgConnection};

use crate::examples::{id, register, say, start_chat};
use crate::stack::Stack;

fn account_worker() -> Arc<dyn projections::Projection> {
    Arc::new(accounts::Accounts)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_behind_a_write_sees_it() {
    let mut stack = Stack::start().await;
    stack.work(account_worker());
    for number in 0..50 {
        let user = register(&stack.log, &format!("user{number}")).await;
        let position = stack.log.head().await.unwrap();
        let fresh = accounts::user(&stack.reader, Wanted::After(position), user).await.unwrap();
        assert!(fresh.value.is_some());
        assert!(fresh.checkpoint >= position);
        assert_eq!(fresh.behind, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lookup_does_not_deny_what_was_just_written() {
    let mut stack = Stack::start().await;
    stack.work(account_worker());
    let reader = stack.reader.clone();
    for number in 0..20 {
        let user = register(&stack.log, &format!("user{number}")).await;
        let reader = reader.clone();
        // In a task of its own, as handlers run: the query's future can be sent between threads.
        let fresh = tokio::spawn(async move { accounts::user(&reader, Wanted::Now, user).await });
        assert!(fresh.await.unwrap().unwrap().value.is_some());
    }
    let nobody = accounts::user(&stack.reader, Wanted::Now, UserId(id())).await.unwrap();
    assert_eq!((nobody.value, nobody.behind), (None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_waited_in_vain_says_how_far_behind_it_is() {
    let mut stack = Stack::start().await;
    for name in ["ada", "bob", "cyd"] {
        register(&stack.log, name).await;
    }
    let begun = Instant::now();
    let stale = accounts::user(&stack.reader, Wanted::After(Position::new(3)), UserId(id())).await.unwrap();
    assert_eq!((stale.value, stale.checkpoint.get(), stale.behind), (None, 0, Some(3)));
    let denied = accounts::user(&stack.reader, Wanted::Now, UserId(id())).await.unwrap();
    assert_eq!(denied.behind, Some(3), "a 404 from a read model that lags says so");
    assert!(begun.elapsed() >= Duration::from_secs(4), "each waited for two seconds");
    assert!(begun.elapsed() < Duration::from_secs(12));

    stack.work(account_worker());
    stack.caught_up("accounts").await;
    let denied = accounts::user(&stack.reader, Wanted::Now, UserId(id())).await.unwrap();
    assert_eq!((denied.value, denied.checkpoint.get(), denied.behind), (None, 3, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_messages_waits_for_the_write_and_says_so_where_it_waited_in_vain() {
    let mut stack = Stack::start().await;
    stack.work(Arc::new(Conversations));
    let ada = register(&stack.log, "ada").await;
    let chat = start_chat(&stack.log, ada, "chat").await;
    stack.caught_up("conversations").await;
    // The worker cannot move while somebody holds its checkpoint, so the chat is there and the message is not.
    let mut holder = PgConnection::connect(&stack.url).await.unwrap();
    let mut held = holder.begin().await.unwrap();
    held.execute("SELECT 1 FROM checkpoints WHERE projection = 'conversations' FOR UPDATE").await.unwrap();
    let position = Position::new(say(&stack.log, ada, chat, "hello").await);
    let own = OwnChat { user: ada, conversation: chat };
    let ask = || messages(&stack.reader, Wanted::After(position), own, Window::Newest, 10);
    let begun = Instant::now();
    let stale = ask().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(2), "it waited");
    assert!(stale.value.unwrap().messages.is_empty());
    assert_eq!(stale.behind, Some(position.since(stale.checkpoint)), "an answer that is too old says so");
    held.rollback().await.unwrap();
    stack.caught_up("conversations").await;
    let fresh = ask().await.unwrap();
    assert_eq!(fresh.value.unwrap().messages.len(), 1);
    assert!(fresh.checkpoint >= position && fresh.behind.is_none());
}
