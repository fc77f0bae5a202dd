//! Commands to templates.

use commands::UploadTemplate;
use domain::{TemplateId, UserId};
use testing::{World, command_of, picture};
use uuid::Uuid;

const ADMIN: UserId = UserId(Uuid::from_u128(1));
const NOWHERE: TemplateId = TemplateId(Uuid::from_u128(9));

fn gaming() -> UploadTemplate {
    UploadTemplate {
        bytes: picture(3),
        category: " Gaming ".to_owned(),
        tags: vec!["Fire".to_owned()],
        description: "explosions".to_owned(),
    }
}

async fn uploaded(world: &World) -> TemplateId {
    world.commands.upload_template(command_of(ADMIN), gaming()).await.unwrap().value.template_id
}

mod upload_template {
    use commands::{CommandError, UploadTemplate};
    use testing::{World, command_of};

    use super::{ADMIN, gaming};
    use crate::ask::{refused, twice};

    #[tokio::test]
    async fn happy_its_words_are_brought_into_one_form() {
        let world = World::start().await;
        let uploaded = world.commands.upload_template(command_of(ADMIN), gaming()).await.unwrap().value;
        assert_eq!((uploaded.category.as_str(), uploaded.tags), ("gaming", vec!["fire".to_owned()]));
    }

    #[tokio::test]
    async fn refused_without_a_category() {
        let world = World::start().await;
        let upload = UploadTemplate { category: "  ".to_owned(), ..gaming() };
        let refusal = refused(&world, world.commands.upload_template(command_of(ADMIN), upload)).await;
        assert!(matches!(refusal, CommandError::Text(_)), "{refusal:?}");
    }

    #[tokio::test]
    async fn repeated_it_is_the_same_template() {
        let world = World::start().await;
        let send = async |context| world.commands.upload_template(context, gaming()).await;
        twice(&world, command_of(ADMIN), send).await;
    }
}

mod analyze_template {
    use commands::CommandError;
    use domain::template::TemplateError;
    use testing::{World, command_of};

    use super::{ADMIN, NOWHERE, uploaded};
    use crate::ask::{refused, twice};

    #[tokio::test]
    async fn happy_the_analysis_is_asked_for() {
        let world = World::start().await;
        let template = uploaded(&world).await;
        let events = world.events().await;
        world.commands.analyze_template(command_of(ADMIN), template).await.unwrap();
        assert_eq!(world.events().await, events + 1);
    }

    #[tokio::test]
    async fn refused_a_template_that_is_not_there() {
        let world = World::start().await;
        let refusal = refused(&world, world.commands.analyze_template(command_of(ADMIN), NOWHERE)).await;
        assert!(matches!(refusal, CommandError::Template(TemplateError::NotUploaded)), "{refusal:?}");
    }

    #[tokio::test]
    async fn repeated_it_is_asked_once() {
        let world = World::start().await;
        let template = uploaded(&world).await;
        let send = async |context| world.commands.analyze_template(context, template).await;
        twice(&world, command_of(ADMIN), send).await;
    }
}

mod set_template_active {
    use commands::CommandError;
    use domain::template::{Template, TemplateError};
    use testing::{World, command_of};

    use super::{ADMIN, NOWHERE, uploaded};
    use crate::ask::{refused, twice};

    #[tokio::test]
    async fn happy_off_and_on_again() {
        let world = World::start().await;
        let template = uploaded(&world).await;
        for active in [false, true] {
            world.commands.set_template_active(command_of(ADMIN), template, active).await.unwrap();
            let state = world.log.load::<Template>(template).await.unwrap().state;
            let Template::Uploaded(state) = state else { panic!("{state:?}") };
            assert_eq!(state.is_active, active);
        }
    }

    #[tokio::test]
    async fn refused_a_template_that_is_not_there() {
        let world = World::start().await;
        let switch = world.commands.set_template_active(command_of(ADMIN), NOWHERE, false);
        let refusal = refused(&world, switch).await;
        assert!(matches!(refusal, CommandError::Template(TemplateError::NotUploaded)), "{refusal:?}");
    }

    #[tokio::test]
    async fn repeated_it_is_switched_once() {
        let world = World::start().await;
        let template = uploaded(&world).await;
        let send = async |context| world.commands.set_template_active(context, template, false).await;
        twice(&world, command_of(ADMIN), send).await;
    }
}
