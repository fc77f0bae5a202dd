//! A rebuild at its seams: between two pages, and between the comparison and the swap.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use projections::conversations::Conversations;
use projections::runtime::{RebuildOptions, RebuildStep, Rebuilt, rebuild};
use tokio::runtime::Handle;

use crate::examples::{register, say, start_chat};
use crate::stack::{Stack, caught_up};

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_of_many_pages_leaves_no_event_out() {
    let mut stack = Stack::start().await;
    stack.work(Arc::new(Conversations));
    let ada = register(&stack.log, "ada").await;
    let chat = start_chat(&stack.log, ada, "chat").await;
    for number in 0..20 {
        say(&stack.log, ada, chat, &format!("message {number}")).await;
    }
    stack.caught_up("conversations").await;
    let live = (stack.rows("conversations").await, stack.rows("messages").await);
    for page_positions in [1, 2, 3, 7] {
        for changed in [false, true] {
            let options = RebuildOptions { changed, page_positions };
            let (rebuilt, pages) = rebuilt(&stack, options).await;
            assert!(pages > 1, "{pages} pages of at least {page_positions}");
            assert_eq!(rebuilt.parked, 0);
            assert_eq!((stack.rows("conversations").await, stack.rows("messages").await), live);
        }
    }
}

/// Rebuilds, and counts the pages.
async fn rebuilt(stack: &Stack, options: RebuildOptions) -> (Rebuilt, u32) {
    let pages = AtomicU32::new(0);
    let watch = |step| {
        if let RebuildStep::Applied { .. } = step {
            pages.fetch_add(1, Ordering::SeqCst);
        }
    };
    let rebuilt = rebuild(&stack.log, &Conversations, options, &watch).await.unwrap();
    (rebuilt, pages.load(Ordering::SeqCst))
}

/// The live worker goes on while the rebuild is between its comparison and its swap. A few events are applied within
/// the swap; many send the rebuild back once more.
#[tokio::test(flavor = "multi_thread")]
async fn a_swap_holds_what_the_live_worker_applied_after_the_comparison() {
    let mut stack = Stack::start().await;
    stack.work(Arc::new(Conversations));
    let ada = register(&stack.log, "ada").await;
    let chat = start_chat(&stack.log, ada, "chat").await;
    for (messages, attempts) in [(2, 1), (9, 2)] {
        say(&stack.log, ada, chat, "before").await;
        stack.caught_up("conversations").await;
        let (log, runtime, swaps) = (stack.log.clone(), Handle::current(), AtomicU32::new(0));
        let watch = |step| {
            if step == RebuildStep::Swapping && swaps.fetch_add(1, Ordering::SeqCst) == 0 {
                tokio::task::block_in_place(|| {
                    runtime.block_on(async {
                        for number in 0..messages {
                            say(&log, ada, chat, &format!("after the comparison {number}")).await;
                        }
                        caught_up(&log, "conversations").await;
                    });
                });
            }
        };
        let options = RebuildOptions { changed: false, page_positions: 5 };
        let rebuilt = rebuild(&stack.log, &Conversations, options, &watch).await.unwrap();
        assert_eq!(rebuilt.position.since(rebuilt.compared_at), messages, "the worker went on meanwhile");
        assert_eq!(swaps.load(Ordering::SeqCst), attempts);
        // The worker goes on where the new tables are.
        say(&stack.log, ada, chat, "after the swap").await;
        stack.caught_up("conversations").await;
        let missing = "SELECT (SELECT count(*) FROM events WHERE event_type = 'MessagePosted') \
             - (SELECT count(*) FROM messages)";
        assert_eq!(stack.count(missing).await, 0);
        let counted = "SELECT message_count - (SELECT count(*) FROM messages) FROM conversations";
        assert_eq!(stack.count(counted).await, 0);
    }
}

/// A rebuild may build up to the end of the log while the live worker is away: the checkpoint comes along with the rows.
#[tokio::test(flavor = "multi_thread")]
async fn after_the_swap_of_tables_that_are_ahead_the_checkpoint_is_where_they_are() {
    let mut stack = Stack::start().await;
    let ada = register(&stack.log, "ada").await;
    let chat = start_chat(&stack.log, ada, "chat").await;
    for number in 0..3 {
        say(&stack.log, ada, chat, &format!("message {number}")).await;
    }
    let options = RebuildOptions { changed: true, ..RebuildOptions::default() };
    let rebuilt = rebuild(&stack.log, &Conversations, options, &|_| {}).await.unwrap();
    let head = stack.log.head().await.unwrap();
    assert_eq!(rebuilt.position, head);
    let checkpoint = "SELECT position FROM checkpoints WHERE projection = 'conversations'";
    assert_eq!(stack.count(checkpoint).await, head.get());
    // A worker that comes now applies nothing twice.
    stack.work(Arc::new(Conversations));
    say(&stack.log, ada, chat, "after the swap").await;
    stack.caught_up("conversations").await;
    assert_eq!(stack.count("SELECT count(*) FROM messages").await, 4);
    let counted = "SELECT message_count - (SELECT count(*) FROM messages) FROM conversations";
    assert_eq!(stack.count(counted).await, 0);
}
