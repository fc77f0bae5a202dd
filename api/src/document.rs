//! The OpenAPI document: what holds for many routes is said here once, and not at each.

use utoipa::Modify;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{OpenApi, PathItem, Required};

/// Each call makes another ticket, and a lost one ends by itself. Who logged out cannot ask again.
const WITHOUT_KEY: [&str; 2] = ["/api/v1/auth/ticket", "/api/v1/auth/logout"];

/// The document with what is said of all routes.
pub fn complete(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        if !WITHOUT_KEY.contains(&path.as_str()) {
            for write in writes(item) {
                take_key(write);
            }
        }
    }
    document
}

fn writes(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
}

fn take_key(write: &mut Operation) {
    let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255));
    let key = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("The same key of the same caller has one effect, and gives the first answer again"))
        .schema(Some(text))
        .build();
    write.parameters.get_or_insert_default().push(key.into());
}

/// Adds the scheme that routes name which want an access token.
pub struct BearerAuth;

impl Modify for BearerAuth {
    fn modify(&self, document: &mut OpenApi) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.bearer_format = Some("JWT".to_owned());
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("bearerAuth", SecurityScheme::Http(scheme));
    }
}
