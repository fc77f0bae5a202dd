//! Puts the parts of a process together: providers, write side, read side, and the state of the service.

use std::sync::Arc;

use api::{App, Limits, Parts, Settings, TokenKeys};
use commands::{Commands, KeptErasures, ReadSide};
use nats::RateLimiter;
use projections::Reader;
use providers::Providers;

use crate::anchors::Anchors;
use crate::config::Config;
use crate::read_side::ProjectedReadSide;
use crate::stack::Stack;
use crate::system;
use crate::telemetry::metrics;

/// The application on a stack, and the anchors of its log where they are kept. `limited` applies the rate limits.
pub fn app(config: &Config, stack: Stack, limited: bool) -> anyhow::Result<(App, Option<Anchors>)> {
    let Stack { log, bus, keys } = stack;
    system::keep_folders_private(&config.data, &config.objects_dir());
    let built_in = Providers::built_in(&config.objects_dir())?;
    let providers = config.generators.0.iter().cloned().fold(built_in, Providers::with_generator);
    let reader = Reader::new(log.pool(), log.clone());
    let read_side: Arc<dyn ReadSide> = Arc::new(ProjectedReadSide(reader.clone()));
    let commands = Commands::new(log.clone(), bus.clone(), providers.clone(), read_side, config.settings());
    let anchors = Anchors::of(config, &log, &keys);
    let app = App::new(Parts {
        settings: Settings {
            allowed_origins: config.allowed_origins.clone(),
            trusted_proxies: config.trusted_proxies,
            connections: config.connection_limits(),
            sockets_per_user: config.sockets_per_user,
            stalled_after: config.stalled_after(),
        },
        erasures: KeptErasures::new(commands.clone(), config.kept_receipts()),
        reader,
        providers,
        tokens: TokenKeys::new(keys.master()),
        limits: Limits::new(limited.then(|| RateLimiter::new(bus.clone()))),
        metrics: metrics::install()?,
        commands,
        log,
        bus,
    });
    if let Some(anchors) = &anchors {
        app.health().watch_anchors(anchors.fault());
    }
    Ok((app, anchors))
}
