//! A cluster of private nats-servers, for tests of replicated streams.

use std::io;
use std::net::TcpListener;

use crate::config::{Node, Settings};
use crate::nats_server::NatsServer;
use crate::start::StartError;

/// How often forming a cluster is tried: its nodes need ports that are known beforehand, and another process may take
/// one between the choice and the start.
const ATTEMPTS: usize = 3;

/// A JetStream cluster on loopback. Its nodes are killed and their directories removed when this is dropped.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<NatsServer>,
}

impl Cluster {
    /// Starts a cluster of `size` nodes and waits until all of them know their leader.
    ///
    /// # Panics
    /// If no server is found, or if the cluster does not form within a few minutes.
    pub async fn start(size: usize) -> Self {
        for _ in 1..ATTEMPTS {
            match Self::spawn(size).await {
                Err(StartError::Exited { .. }) => {}
                spawned => return Self::formed(spawned).await,
            }
        }
        Self::formed(Self::spawn(size).await).await
    }

    /// Where clients connect, one address for each node.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(NatsServer::url).collect()
    }

    /// Ends node `index` (from 0) with SIGKILL and waits until it is gone.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn kill(&mut self, index: usize) {
        self.nodes[index].kill();
    }

    /// Starts node `index` again on its port and its store, killing it first if it runs. Waits until it has caught up;
    /// while most nodes are down it cannot, and this waits only until it listens.
    ///
    /// # Panics
    /// If there is no such node, or if it does not come up within a minute.
    pub async fn restart(&mut self, index: usize) {
        self.nodes[index].respawn().await;
        let running = self.nodes.iter().filter(|node| node.pid().is_some()).count();
        if running * 2 > self.nodes.len() {
            self.nodes[index].healthy().await;
        }
    }

    async fn spawn(size: usize) -> Result<Self, StartError> {
        let route_ports = free_ports(size)?;
        let mut nodes = Vec::with_capacity(size);
        for (index, &cluster_port) in route_ports.iter().enumerate() {
            let node = Node { name: format!("node-{index}"), cluster_port, route_ports: route_ports.clone() };
            nodes.push(NatsServer::spawn(Settings { node: Some(node), ..Settings::default() }).await?);
        }
        Ok(Self { nodes })
    }

    async fn formed(spawned: Result<Self, StartError>) -> Self {
        let mut cluster = spawned.unwrap_or_else(|error| panic!("{error}"));
        for node in &mut cluster.nodes {
            node.healthy().await;
        }
        cluster
    }
}

/// Different free ports. All are held until all are chosen.
fn free_ports(count: usize) -> io::Result<Vec<u16>> {
    let listeners = (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<io::Result<Vec<_>>>()?;
    listeners.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}
