//! `routix demo`: the whole flow from a terminal, over HTTP and the live stream alone, as a front end would.

mod client;
mod screen;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::config::Config;
use crate::secrets::random_text;
use client::{Client, Frames};
use screen::Screen;

/// The order.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// A description of the thumbnail.
    prompt: String,
    /// A picture with a face to show.
    #[arg(long)]
    face: Option<PathBuf>,
    /// A logo to show.
    #[arg(long)]
    logo: Option<PathBuf>,
    /// The file of the PNG.
    #[arg(long, default_value = "thumbnail.png")]
    out: PathBuf,
    /// The Routix version, by its slug.
    #[arg(long, default_value = "routix_v1")]
    algorithm: String,
    /// The server; the one of `ROUTIX_LISTEN` when missing.
    #[arg(long)]
    server: Option<String>,
    /// Registers a new account instead of using the demo login.
    #[arg(long)]
    register: bool,
}

/// An order may take so long.
const PATIENCE: Duration = Duration::from_mins(2);

/// Orders a thumbnail and saves it.
pub async fn run(config: &Config, args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let server = args.server.clone().unwrap_or_else(|| format!("http://{}", config.listen));
    let mut client = Client::new(&server)?;
    let started = Instant::now();
    log_in(&mut client, config, args.register).await?;
    let mut screen = Screen::new();
    let frames = client.frames().await?;
    let chat = client.post("/api/v1/chat/conversations", &json!({})).await?;
    let chat = text(&chat, "id")?.to_owned();
    let mut order = Order { client: &client, chat: chat.clone(), frames, request: None };
    let pictures = upload(&client, args).await?;
    screen.user(&args.prompt);
    say(&client, &chat, &json!({ "type": "text", "content": args.prompt })).await?;
    let offered = order.wait_for(&mut screen, "algorithm_select").await?;
    let name = offer_name(&offered, &args.algorithm)?;
    // All but the last picture are attached before the algorithm is chosen; the last one answers the
    // assistant's question.
    if let Some((last, first)) = pictures.split_last() {
        for picture in first {
            screen.user(&format!("[{}]", picture.1));
            say(&client, &chat, &file_upload(picture)).await?;
        }
        choose(&client, &mut screen, &chat, &args.algorithm, &name).await?;
        order.wait_for(&mut screen, "upload_request").await?;
        screen.user(&format!("[{}]", last.1));
        say(&client, &chat, &file_upload(last)).await?;
    } else {
        choose(&client, &mut screen, &chat, &args.algorithm, &name).await?;
        order.wait_for(&mut screen, "upload_request").await?;
        screen.user("skip");
        say(&client, &chat, &json!({ "type": "text", "content": "skip" })).await?;
    }
    let card = order.wait_for(&mut screen, "thumbnail_result").await?;
    let png = client.get_bytes(text(&card["metadata"], "image_url")?).await?;
    std::fs::write(&args.out, &png).with_context(|| format!("{} cannot be written", args.out.display()))?;
    screen.saved(&args.out, png.len(), started.elapsed());
    Ok(ExitCode::SUCCESS)
}

async fn choose(
    client: &Client,
    screen: &mut Screen,
    chat: &str,
    slug: &str,
    name: &str,
) -> anyhow::Result<()> {
    screen.user(name);
    let message =
        json!({ "type": "algorithm_selection", "content": name, "metadata": { "algorithm_id": slug } });
    say(client, chat, &message).await
}

async fn say(client: &Client, chat: &str, message: &Value) -> anyhow::Result<()> {
    client.post(&format!("/api/v1/chat/conversations/{chat}/messages"), message).await.map(|_| ())
}

/// The demo login of the data folder, else a new account.
async fn log_in(client: &mut Client, config: &Config, register: bool) -> anyhow::Result<()> {
    let kept = std::fs::read_to_string(config.data.join("credentials.json"));
    if let (Ok(text), false) = (kept, register) {
        let credentials: Value = serde_json::from_str(&text).context("credentials.json cannot be read")?;
        return client.log_in("/api/v1/auth/login", &credentials["demo"]).await;
    }
    let login = json!({
        "email": format!("demo-{}@routix.local", &random_text()[..12]),
        "username": "Demo",
        "password": random_text(),
    });
    client.log_in("/api/v1/auth/register", &login).await
}

async fn upload(client: &Client, args: &DemoArgs) -> anyhow::Result<Vec<(String, &'static str)>> {
    let mut assets = Vec::new();
    for (path, kind) in [(&args.face, "face"), (&args.logo, "logo")] {
        if let Some(path) = path {
            assets.push((client.upload(path, kind).await?, kind));
        }
    }
    Ok(assets)
}

fn file_upload((asset_id, kind): &(String, &'static str)) -> Value {
    json!({ "type": "file_upload", "content": kind, "metadata": { "asset_id": asset_id, "asset_type": kind } })
}

/// An order, followed on the live stream. The account may have others under way.
struct Order<'a> {
    client: &'a Client,
    chat: String,
    frames: Frames,
    request: Option<String>,
}

impl Order<'_> {
    /// Shows what happens until the assistant posts a message of `kind`, and returns it.
    async fn wait_for(&mut self, screen: &mut Screen, kind: &str) -> anyhow::Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let frame = tokio::time::timeout_at(deadline, self.frames.next())
                .await
                .context("the server took too long")??;
            let payload = &frame["payload"];
            match frame["type"].as_str().unwrap_or_default() {
                "chat:message" if payload["conversation_id"] == self.chat => {
                    let message = payload["message"].clone();
                    if message["role"] != "assistant" {
                        continue;
                    }
                    screen.assistant(&message);
                    if message["type"] == kind {
                        return Ok(message);
                    }
                    // The order ended without what is waited for.
                    if message["metadata"]["is_final"] == true {
                        bail!("{}", message["content"].as_str().unwrap_or("the order was refused"));
                    }
                }
                "generation:progress" if self.is_own(payload).await? => screen.progress(payload),
                "generation:completed" if self.is_own(payload).await? => screen.complete(),
                "generation:failed" if self.is_own(payload).await? => {
                    bail!("{}", payload["error"].as_str().unwrap_or("the generation failed"));
                }
                _ => {}
            }
        }
    }

    /// Tells whether a frame is about this order: the request of this chat is looked up once.
    async fn is_own(&mut self, payload: &Value) -> anyhow::Result<bool> {
        if self.request.is_none() {
            let list = self.client.get("/api/v1/generation?limit=100").await?;
            let rows = list["generations"].as_array().cloned().unwrap_or_default();
            let own = rows.iter().find(|row| row["conversation_id"] == self.chat);
            self.request = own.and_then(|row| row["id"].as_str()).map(str::to_owned);
        }
        Ok(self.request.as_deref() == payload["request_id"].as_str())
    }
}

fn offer_name(message: &Value, slug: &str) -> anyhow::Result<String> {
    let options = message["metadata"]["options"].as_array().cloned().unwrap_or_default();
    let chosen = options.iter().find(|option| option["slug"] == slug || option["id"] == slug);
    let names: Vec<&str> = options.iter().filter_map(|option| option["slug"].as_str()).collect();
    match chosen.and_then(|option| option["name"].as_str()) {
        Some(name) => Ok(name.to_owned()),
        None => bail!("there is no algorithm {slug}; choose one of {}", names.join(", ")),
    }
}

fn text<'a>(value: &'a Value, field: &str) -> anyhow::Result<&'a str> {
    value[field].as_str().with_context(|| format!("the server sent no {field}"))
}
