//! The things that a first start puts in place: algorithms, starter library, admin and demo account.
//! All of it goes the ordinary way of a command, under ids that follow from the id that the log was born
//! with, so that a second start repeats nothing.

use std::collections::HashMap;

use domain::credit_ledger::GrantReason;
use domain::template::Template;
use domain::user::Role;
use domain::{Credits, EmailAddress, MicroUsd, Slug, TemplateId, Username};
use event_log::{CommandContext, LogError, clock};
use providers::starter::{self, StarterTemplate};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{CommandError, Commands, DefineAlgorithm, RegisterUser, UploadTemplate};

const PROCESS: &str = "bootstrap";

/// An account that the first start made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    pub email: String,
    pub password: String,
}

/// The accounts of a first start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    pub admin: Login,
    pub demo: Login,
}

struct Offer {
    slug: &'static str,
    name: &'static str,
    finish: &'static str,
    credit_cost: u32,
}

const OFFERS: [Offer; 3] = [
    Offer { slug: "routix_v1", name: "Routix v1", finish: "classic", credit_cost: 2 },
    Offer { slug: "routix_pro", name: "Routix Pro", finish: "pro", credit_cost: 4 },
    Offer { slug: "routix_lightning", name: "Routix Lightning", finish: "lightning", credit_cost: 1 },
];

impl Commands {
    fn bootstrap_context(origin: Uuid, step: &str) -> CommandContext {
        CommandContext::for_process(PROCESS, origin, origin, None, step)
    }

    /// Defines the three algorithms unless they are there.
    pub async fn define_starter_algorithms(&self) -> Result<(), CommandError> {
        let origin = self.log.identity().await?.origin_id;
        for offer in OFFERS {
            let new = DefineAlgorithm {
                slug: Slug::parse(offer.slug)?,
                display_name: offer.name.to_owned(),
                provider: "studio".to_owned(),
                config: serde_json::json!({ "finish": offer.finish }),
                credit_cost: Credits(offer.credit_cost),
                cost: MicroUsd(0),
                is_default: offer.slug == "routix_v1",
            };
            let context = Self::bootstrap_context(origin, &format!("algorithm {}", offer.slug));
            match self.define_algorithm(context, new).await {
                // An operator who defined it differently is right.
                Ok(_) | Err(CommandError::Log(LogError::Taken { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Draws and uploads the templates of the starter library that are not there yet. Returns how many.
    pub async fn upload_starter_library(&self) -> Result<usize, CommandError> {
        let origin = self.log.identity().await?.origin_id;
        let mut uploaded = 0;
        for template in one_of_each_category_first(starter::library()) {
            let context = Self::bootstrap_context(origin, &format!("template {}", template.slug));
            let template_id = TemplateId(clock::derived_id(context.command_id, "template"));
            if self.log.load::<Template>(template_id).await?.version > 0 {
                continue;
            }
            let upload = UploadTemplate {
                category: template.category.to_owned(),
                tags: template.tags.iter().map(|tag| (*tag).to_owned()).collect(),
                description: template.description.to_owned(),
                bytes: tokio::task::spawn_blocking(move || template.draw())
                    .await
                    .map_err(|_| CommandError::Stopped)??
                    .into(),
            };
            self.upload_template(context, upload).await?;
            uploaded += 1;
        }
        Ok(uploaded)
    }

    /// Gives an account of the house more credits, once.
    pub async fn top_up_account(
        &self,
        login: &Login,
        amount: u32,
        reason: GrantReason,
    ) -> Result<(), CommandError> {
        let email = EmailAddress::parse(&login.email)?;
        let Some(user_id) = self.user_of_email(&email).await? else {
            return Err(CommandError::NotFound { what: "user" });
        };
        let origin = self.log.identity().await?.origin_id;
        let context = Self::bootstrap_context(origin, &format!("top-up {}", email.normalised()));
        self.grant_credits(context, user_id, Credits(amount), reason).await?;
        Ok(())
    }

    /// Registers an account of the house unless its address is taken. True when it was made now.
    pub async fn ensure_account(&self, login: &Login, name: &str, role: Role) -> Result<bool, CommandError> {
        let email = EmailAddress::parse(&login.email)?;
        if self.user_of_email(&email).await?.is_some() {
            return Ok(false);
        }
        let origin = self.log.identity().await?.origin_id;
        let context = Self::bootstrap_context(origin, &format!("account {}", email.normalised()));
        let user =
            RegisterUser { email, username: Username::parse(name)?, password: login.password.clone(), role };
        match self.register(context, user).await {
            Ok(done) => Ok(!done.replayed),
            Err(CommandError::Log(LogError::Taken { .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The library in an order in which every category can be matched early.
fn one_of_each_category_first(mut library: Vec<StarterTemplate>) -> Vec<StarterTemplate> {
    let mut drawn: HashMap<&str, usize> = HashMap::new();
    let rounds: HashMap<&str, usize> = library
        .iter()
        .map(|template| {
            let round = drawn.entry(template.category).or_default();
            *round += 1;
            (template.slug, *round)
        })
        .collect();
    library.sort_by_key(|template| rounds.get(template.slug).copied());
    library
}
