//! Commands to chats.

use domain::conversation::Conversation;
use domain::{ConversationId, MessageText, Title, UserId};
use testing::{World, command_of};

/// A user with a chat.
pub async fn chatting(world: &World) -> (UserId, ConversationId) {
    let owner = world.user().await;
    let started = world.commands.start_conversation(command_of(owner), owner, None).await.unwrap();
    (owner, started.value.conversation_id)
}

fn title(text: &str) -> Title {
    Title::parse(text).unwrap()
}

pub fn text(words: &str) -> MessageText {
    MessageText::parse(words).unwrap()
}

async fn state(world: &World, chat: ConversationId) -> Conversation {
    world.log.load::<Conversation>(chat).await.unwrap().state
}

mod start_conversation {
    use testing::{World, command_of};

    use super::{chatting, state, title};
    use crate::ask::twice;

    #[tokio::test]
    async fn happy_the_chat_is_its_owners() {
        let world = World::start().await;
        let (owner, chat) = chatting(&world).await;
        assert_eq!(state(&world, chat).await.chat().map(|chat| chat.owner), Some(owner));
    }

    #[tokio::test]
    async fn repeated_it_is_the_same_chat() {
        let world = World::start().await;
        let owner = world.user().await;
        let send =
            async |context| world.commands.start_conversation(context, owner, Some(title("Cats"))).await;
        twice(&world, command_of(owner), send).await;
    }
}

mod rename_conversation {
    use commands::CommandError;
    use domain::ConversationId;
    use domain::conversation::ConversationError;
    use event_log::Version;
    use testing::{World, command_of};
    use uuid::Uuid;

    use super::{chatting, title};
    use crate::ask::{is_stale, refused, twice};

    #[tokio::test]
    async fn happy_it_has_a_new_version() {
        let world = World::start().await;
        let own = chatting(&world).await;
        let rename = world.commands.rename_conversation(command_of(own.0), own, None, title("Cats"));
        assert_eq!(rename.await.unwrap().version, Some(Version::new(2)));
    }

    #[tokio::test]
    async fn refused_a_chat_that_is_not_there() {
        let world = World::start().await;
        let owner = world.user().await;
        let nowhere = (owner, ConversationId(Uuid::from_u128(9)));
        let rename = world.commands.rename_conversation(command_of(owner), nowhere, None, title("Cats"));
        let refusal = refused(&world, rename).await;
        assert!(matches!(refusal, CommandError::Conversation(ConversationError::NotStarted)), "{refusal:?}");
    }

    #[tokio::test]
    async fn repeated_it_is_renamed_once() {
        let world = World::start().await;
        let own = chatting(&world).await;
        let expected = Some(Version::new(1));
        let send =
            async |context| world.commands.rename_conversation(context, own, expected, title("Cats")).await;
        twice(&world, command_of(own.0), send).await;
    }

    #[tokio::test]
    async fn stale_a_version_that_is_gone_is_refused() {
        let world = World::start().await;
        let own = chatting(&world).await;
        let rename =
            |to| world.commands.rename_conversation(command_of(own.0), own, Some(Version::new(1)), title(to));
        rename("Cats").await.unwrap();
        assert!(is_stale(&refused(&world, rename("Dogs")).await));
    }

    #[tokio::test]
    async fn foreign_a_chat_of_somebody_else_is_not_there() {
        let world = World::start().await;
        let (other, (_, chat)) = (world.user().await, chatting(&world).await);
        let rename =
            world.commands.rename_conversation(command_of(other), (other, chat), None, title("Mine"));
        let refusal = refused(&world, rename).await;
        assert!(matches!(refusal, CommandError::Conversation(ConversationError::NotStarted)), "{refusal:?}");
    }
}

mod archive_conversation {
    use commands::CommandError;
    use domain::conversation::ConversationError;
    use event_log::Version;
    use testing::{World, command_of};

    use super::{chatting, text};
    use crate::ask::{is_stale, refused, twice};

    #[tokio::test]
    async fn happy_nothing_is_said_in_it_any_more() {
        let world = World::start().await;
        let own = chatting(&world).await;
        world.commands.archive_conversation(command_of(own.0), own, None).await.unwrap();
        let refusal = refused(&world, world.commands.post_text(command_of(own.0), own, text("hello"))).await;
        assert!(matches!(refusal, CommandError::Conversation(ConversationError::Archived)), "{refusal:?}");
    }

    #[tokio::test]
    async fn refused_a_chat_that_is_not_there() {
        let world = World::start().await;
        let (owner, other) = (world.user().await, chatting(&world).await);
        let nowhere = (owner, domain::ConversationId(owner.0));
        let refusal =
            refused(&world, world.commands.archive_conversation(command_of(owner), nowhere, None)).await;
        assert!(matches!(refusal, CommandError::Conversation(ConversationError::NotStarted)), "{refusal:?}");
        assert!(world.commands.post_text(command_of(other.0), other, text("hello")).await.is_ok());
    }

    #[tokio::test]
    async fn repeated_it_is_archived_once() {
        let world = World::start().await;
        let own = chatting(&world).await;
        let send = async |context| world.commands.archive_conversation(context, own, None).await;
        twice(&world, command_of(own.0), send).await;
    }

    #[tokio::test]
    async fn stale_a_version_that_is_gone_is_refused() {
        let world = World::start().await;
        let own = chatting(&world).await;
        world.commands.post_text(command_of(own.0), own, text("one more")).await.unwrap();
        let archive = world.commands.archive_conversation(command_of(own.0), own, Some(Version::new(1)));
        assert!(is_stale(&refused(&world, archive).await));
    }

    #[tokio::test]
    async fn foreign_a_chat_of_somebody_else_stays_open() {
        let world = World::start().await;
        let (other, own) = (world.user().await, chatting(&world).await);
        let archive = world.commands.archive_conversation(command_of(other), (other, own.1), None);
        refused(&world, archive).await;
        assert!(world.commands.post_text(command_of(own.0), own, text("hello")).await.is_ok());
    }
}

mod post_text {
    use commands::CommandError;
    use testing::{World, command_of};

    use super::{chatting, text};
    use crate::ask::{refused, twice};

    #[tokio::test]
    async fn happy_the_words_are_in_the_chat() {
        let world = World::start().await;
        let own = chatting(&world).await;
        let events = world.events().await;
        let posted = world.commands.post_text(command_of(own.0), own, text("a cat")).await.unwrap();
        assert!(posted.position.get() > events);
        assert_eq!(posted.value.algorithm_id, None);
    }

    #[tokio::test]
    async fn refused_what_the_moderator_rejects() {
        let world = World::start().await;
        let own = chatting(&world).await;
        let rejected = text("an nsfw picture");
        let refusal = refused(&world, world.commands.post_text(command_of(own.0), own, rejected)).await;
        assert!(matches!(refusal, CommandError::ContentRejected { .. }), "{refusal:?}");
    }

    #[tokio::test]
    async fn repeated_it_is_said_once() {
        let world = World::start().await;
        let own = chatting(&world).await;
        let send = async |context| world.commands.post_text(context, own, text("a cat")).await;
        twice(&world, command_of(own.0), send).await;
    }

    #[tokio::test]
    async fn foreign_nobody_speaks_in_the_chat_of_somebody_else() {
        let world = World::start().await;
        let (other, (_, chat)) = (world.user().await, chatting(&world).await);
        refused(&world, world.commands.post_text(command_of(other), (other, chat), text("hello"))).await;
    }
}

mod choose_algorithm {
    use commands::AlgorithmRef;
    use domain::AlgorithmId;
    use testing::{World, command_of};
    use uuid::Uuid;

    use super::{chatting, text};
    use crate::ask::{is_absent, refused, twice};

    #[tokio::test]
    async fn happy_the_answer_names_it() {
        let world = World::start().await;
        let (own, algorithm) = (chatting(&world).await, world.algorithm(1).await);
        world.commands.post_text(command_of(own.0), own, text("a cat")).await.unwrap();
        let named = AlgorithmRef::Id(algorithm);
        let choose = world.commands.choose_algorithm(command_of(own.0), own, &named, text("Fast"));
        assert_eq!(choose.await.unwrap().value.algorithm_id, Some(algorithm));
    }

    #[tokio::test]
    async fn refused_an_algorithm_that_is_not_there() {
        let world = World::start().await;
        let own = chatting(&world).await;
        let named = AlgorithmRef::Id(AlgorithmId(Uuid::from_u128(9)));
        let choose = world.commands.choose_algorithm(command_of(own.0), own, &named, text("Fast"));
        assert!(is_absent(&refused(&world, choose).await));
    }

    #[tokio::test]
    async fn repeated_it_is_chosen_once() {
        let world = World::start().await;
        let (own, algorithm) = (chatting(&world).await, world.algorithm(1).await);
        world.commands.post_text(command_of(own.0), own, text("a cat")).await.unwrap();
        let named = AlgorithmRef::Id(algorithm);
        let send = async |context| world.commands.choose_algorithm(context, own, &named, text("Fast")).await;
        twice(&world, command_of(own.0), send).await;
    }

    #[tokio::test]
    async fn foreign_nobody_chooses_in_the_chat_of_somebody_else() {
        let world = World::start().await;
        let (other, own, algorithm) = (world.user().await, chatting(&world).await, world.algorithm(1).await);
        world.commands.post_text(command_of(own.0), own, text("a cat")).await.unwrap();
        let named = AlgorithmRef::Id(algorithm);
        let choose = world.commands.choose_algorithm(command_of(other), (other, own.1), &named, text("Fast"));
        refused(&world, choose).await;
    }
}

mod attach_picture {
    use commands::CommandError;
    use domain::conversation::PictureKind;
    use testing::{World, command_of};

    use super::{chatting, text};
    use crate::ask::{is_absent, refused, twice};
    use crate::asset::uploaded;

    #[tokio::test]
    async fn happy_the_picture_is_in_the_chat() {
        let world = World::start().await;
        let own = chatting(&world).await;
        let face = (uploaded(&world, own.0).await.asset_id, PictureKind::Face);
        world.commands.attach_picture(command_of(own.0), own, face, text("me")).await.unwrap();
    }

    #[tokio::test]
    async fn refused_a_face_where_a_logo_is_meant() {
        let world = World::start().await;
        let own = chatting(&world).await;
        let logo = (uploaded(&world, own.0).await.asset_id, PictureKind::Logo);
        let refusal =
            refused(&world, world.commands.attach_picture(command_of(own.0), own, logo, text("me"))).await;
        assert!(matches!(refusal, CommandError::WrongAssetKind { .. }), "{refusal:?}");
    }

    #[tokio::test]
    async fn repeated_it_is_attached_once_also_when_it_was_deleted_meanwhile() {
        let world = World::start().await;
        let own = chatting(&world).await;
        let asset = uploaded(&world, own.0).await.asset_id;
        let send = async |context| {
            world.commands.attach_picture(context, own, (asset, PictureKind::Face), text("me")).await
        };
        let context = command_of(own.0);
        let first = twice(&world, context.clone(), send).await;
        world.commands.delete_asset(command_of(own.0), (own.0, asset)).await.unwrap();
        assert_eq!(send(context).await.unwrap().value, first.value);
    }

    #[tokio::test]
    async fn foreign_a_picture_of_somebody_else_is_not_there() {
        let world = World::start().await;
        let (other, own) = (world.user().await, chatting(&world).await);
        let face = (uploaded(&world, other).await.asset_id, PictureKind::Face);
        let attach = world.commands.attach_picture(command_of(own.0), own, face, text("not me"));
        assert!(is_absent(&refused(&world, attach).await));
    }
}
