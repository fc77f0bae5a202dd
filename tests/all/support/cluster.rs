//! Three NATS servers that keep the stream together, as processes that tests kill and start again.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::json;
use tokio::process::{Child, Command};

use super::{eventually, servers};

const SERVERS: usize = 3;
const USER: &str = "routix";
const PASSWORD: &str = "cluster";

#[derive(Debug)]
struct Node {
    name: String,
    port: u16,
    config: PathBuf,
    child: Option<Child>,
}

/// A cluster; its servers end with it.
#[derive(Debug)]
pub struct Cluster {
    program: PathBuf,
    nodes: Vec<Node>,
}

impl Cluster {
    /// Starts the servers and waits until they have agreed on who leads.
    pub async fn start() -> Self {
        let program =
            tokio::task::spawn_blocking(|| embedded::fetch_all().unwrap().nats_server).await.unwrap();
        let ports = free_ports(SERVERS * 2);
        let routes: Vec<String> = ports[SERVERS..]
            .iter()
            .map(|port| format!("nats://{USER}:{PASSWORD}@127.0.0.1:{port}"))
            .collect();
        let folder = servers::folder("cluster");
        let nodes = (0..SERVERS).map(|n| {
            let name = format!("node-{n}");
            let config = json!({
                "host": "127.0.0.1",
                "port": ports[n],
                "server_name": name,
                "max_payload": 2 * 1024 * 1024,
                "jetstream": { "store_dir": folder.join(&name).to_string_lossy() },
                "authorization": { "user": USER, "password": PASSWORD },
                "cluster": {
                    "name": "routix",
                    "host": "127.0.0.1",
                    "port": ports[SERVERS + n],
                    "authorization": { "user": USER, "password": PASSWORD },
                    "routes": routes,
                },
            });
            let path = folder.join(format!("{name}.conf"));
            std::fs::write(&path, config.to_string()).unwrap();
            Node { name, port: ports[n], config: path, child: None }
        });
        let mut cluster = Self { program, nodes: nodes.collect() };
        for n in 0..SERVERS {
            cluster.start_node(n);
        }
        let urls = cluster.urls();
        eventually("the cluster has a leader", || async {
            let servers: Vec<async_nats::ServerAddr> =
                urls.split(',').map(|url| url.parse().unwrap()).collect();
            let options = async_nats::ConnectOptions::with_user_and_password(USER.into(), PASSWORD.into());
            let client = options.connect(servers).await.ok()?;
            async_nats::jetstream::new(client).query_account().await.ok()
        })
        .await;
        cluster
    }

    /// The addresses of all servers, as `NATS_URL` takes them.
    pub fn urls(&self) -> String {
        let urls: Vec<String> = self
            .nodes
            .iter()
            .map(|node| format!("nats://{USER}:{PASSWORD}@127.0.0.1:{}", node.port))
            .collect();
        urls.join(",")
    }

    fn start_node(&mut self, n: usize) {
        let node = &mut self.nodes[n];
        let child = Command::new(&self.program)
            .arg("-c")
            .arg(&node.config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        node.child = Some(child.expect("nats-server starts"));
    }

    /// kill -9 of the server of this name.
    pub async fn kill(&mut self, name: &str) {
        let node = self.nodes.iter_mut().find(|node| node.name == name).expect("there is such a server");
        node.child.take().expect("it runs").kill().await.unwrap();
    }

    /// Starts the server again that was killed.
    pub fn start_again(&mut self, name: &str) {
        let n = self.nodes.iter().position(|node| node.name == name).expect("there is such a server");
        self.start_node(n);
    }
}

/// Ports that are free now, all of them held until the last one is found.
fn free_ports(count: usize) -> Vec<u16> {
    let held: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind(("127.0.0.1", 0)).expect("a port is free")).collect();
    held.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}
