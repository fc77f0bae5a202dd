//! A person who uses the service through two servers, and does not take silence for an answer: a command whose
//! answer was lost is repeated under its key until there is one.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::dice::Dice;
use super::load::Load;
use super::plan::Step;
use crate::support::client::{Answer, Client};
use crate::support::told::Told;

/// After so long a client gives an attempt up and asks the other server.
const ATTEMPT: Duration = Duration::from_millis(1500);

/// A command as it can be sent again.
#[derive(Debug, Clone)]
struct Command {
    path: String,
    method: Method,
    body: Value,
    key: String,
}

pub struct Person {
    name: String,
    pub client: Client,
    load: Arc<Load>,
    dice: Dice,
    server: usize,
    chats: Vec<String>,
    requests: Vec<String>,
    sent: Vec<Command>,
    /// Position of the last thing this person did.
    last: i64,
    next: usize,
}

impl Person {
    /// Registers.
    pub async fn arrive(load: Arc<Load>, told: &Told, name: String, dice: Dice) -> Self {
        let client = Client::anonymous(&load.address(0), told);
        let mut person = Self {
            name,
            client,
            load,
            dice,
            server: 0,
            chats: Vec::new(),
            requests: Vec::new(),
            sent: Vec::new(),
            last: 0,
            next: 0,
        };
        person.server = usize::try_from(person.dice.below(2)).unwrap();
        let login = json!({
            "email": format!("{}@example.com", person.name), "username": "Ada", "password": "correct horse"
        });
        let session = person.command(Method::POST, "/api/v1/auth/register".to_owned(), login).await;
        person.client.adopt(&session.expect("a registration is accepted"));
        // The registration is nobody's command, so it is not repeated as a person's.
        person.sent.clear();
        person
    }

    pub async fn act(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(*step).await;
        }
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::StartChat => {
                let started =
                    self.command(Method::POST, "/api/v1/chat/conversations".into(), json!({})).await;
                self.chats.push(text(&started.expect("a chat can always be started"), "id"));
            }
            Step::Say => {
                let words = json!({ "type": "text", "content": format!("Epic battle {}", self.next) });
                let said = self.say(words).await;
                said.expect("something can always be said");
            }
            Step::Skip => {
                self.say(json!({ "type": "text", "content": "skip" })).await;
            }
            Step::Choose => {
                let slug = json!({ "algorithm_id": "routix_v1" });
                self.say(json!({ "type": "algorithm_selection", "metadata": slug })).await;
            }
            Step::Order => {
                let order = json!({ "prompt": format!("order {}", self.next), "algorithm_id": "routix_v1" });
                let path = "/api/v1/generation/create".to_owned();
                if let Some(order) = self.command(Method::POST, path, order).await {
                    self.requests.push(text(&order, "id"));
                }
            }
            Step::Cancel => {
                if let Some(request) = self.requests.pop() {
                    let path = format!("/api/v1/generation/{request}/cancel");
                    self.command(Method::POST, path, Value::Null).await;
                }
            }
            Step::Rename => {
                let title = json!({ "title": format!("title {}", self.next) });
                let path = format!("/api/v1/chat/conversations/{}", self.chat());
                self.command(Method::PATCH, path, title).await.expect("a chat can be renamed");
            }
            Step::ReadBack => self.read_back().await,
            Step::Again => self.again().await,
            Step::Move => self.server = 1 - self.server,
        }
    }

    fn chat(&mut self) -> String {
        // Most is said in the first chat.
        let later = self.dice.below(self.chats.len() as u64 * 3);
        self.chats.get(usize::try_from(later).unwrap()).unwrap_or(&self.chats[0]).clone()
    }

    async fn say(&mut self, message: Value) -> Option<Value> {
        let path = format!("/api/v1/chat/conversations/{}/messages", self.chat());
        self.command(Method::POST, path, message).await
    }

    /// Sends a command until it is answered: with its body, or `None` where it was refused.
    async fn command(&mut self, method: Method, path: String, body: Value) -> Option<Value> {
        self.next += 1;
        let key = format!("{} {}", self.name, self.next);
        let command = Command { path, method, body, key };
        self.load.count(|counts| counts.commands += 1);
        let answer = self.insist(&command).await;
        self.load.answered();
        if !answer.status.is_success() {
            let code = answer.body["code"].as_str().unwrap_or_default().to_owned();
            let refusals = ["no_open_brief", "generation_ended", "insufficient_credits"];
            assert!(refusals.contains(&code.as_str()), "{command:?} was answered {}", answer.body);
            self.load.count(|counts| counts.refused += 1);
            return None;
        }
        self.load.count(|counts| counts.acknowledged += 1);
        self.last = answer.position();
        self.sent.push(command);
        Some(answer.body)
    }

    /// Sends a command again that was answered, under its key.
    pub async fn again(&mut self) {
        if self.sent.is_empty() {
            return;
        }
        let n = usize::try_from(self.dice.below(self.sent.len() as u64)).unwrap();
        let command = self.sent[n].clone();
        self.load.count(|counts| counts.again += 1);
        let answer = self.insist(&command).await;
        assert!(
            answer.status.is_success(),
            "invariant 6: {command:?} was accepted and is now answered {}",
            answer.body
        );
    }

    /// Reads the first chat as it must be after what was done last.
    pub async fn read_back(&mut self) {
        let path = format!("/api/v1/chat/conversations/{}/messages?limit=200", self.chats[0]);
        loop {
            let client = self.client.at(&self.load.address(self.server));
            let page = tokio::time::timeout(ATTEMPT, async {
                client.try_send(client.request(Method::GET, &path).header("Routix-After", self.last)).await
            });
            match page.await {
                Ok(Ok(page)) if page.status.is_success() => return,
                Ok(Ok(page)) => assert!(is_no_answer(&page), "{path}: {}", page.body),
                Ok(Err(_)) | Err(_) => {}
            }
            self.server = 1 - self.server;
            rest().await;
        }
    }

    async fn insist(&mut self, command: &Command) -> Answer {
        let deadline = Instant::now() + super::house::PATIENCE;
        loop {
            if let Some(answer) = self.attempt(command).await {
                return answer;
            }
            assert!(Instant::now() < deadline, "{command:?} never got an answer");
            self.load.count(|counts| counts.repeated += 1);
            self.server = 1 - self.server;
            rest().await;
        }
    }

    /// Sends a command once. `None` where no answer came, or one that says to try again.
    async fn attempt(&self, command: &Command) -> Option<Answer> {
        let client = self.client.at(&self.load.address(self.server));
        let request = client.request(command.method.clone(), &command.path);
        let request = request.header("Idempotency-Key", &command.key);
        let request = if command.body.is_null() { request } else { request.json(&command.body) };
        self.load.count(|counts| counts.sendings += 1);
        let outstanding = self.load.sending(self.server);
        let answer = tokio::time::timeout(ATTEMPT, client.try_send(request)).await;
        drop(outstanding);
        answer.ok()?.ok().filter(|answer| !is_no_answer(answer))
    }
}

/// A pause between attempts.
async fn rest() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// Answers that say no more than that the service cannot do it now.
fn is_no_answer(answer: &Answer) -> bool {
    answer.status == StatusCode::SERVICE_UNAVAILABLE || answer.body["code"] == "contention"
}

fn text(body: &Value, field: &str) -> String {
    body[field].as_str().unwrap().to_owned()
}
