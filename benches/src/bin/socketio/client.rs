//! A client of Socket.IO 5 over a websocket: it looks only at how a packet begins, so that it costs little.

use greenwire::websocket::{self, Message, WebSocket};
use std::io;
use std::net::SocketAddr;

pub(crate) struct Client(WebSocket);

impl Client {
    /// Connects, joins the namespace `/`, and waits until the server has its handlers there.
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Client> {
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let mut client = Client(websocket::connect(&url)?);
        client.wait_for("0{")?;
        client.send("40")?;
        client.wait_for(r#"42["ready""#)?;
        Ok(client)
    }

    pub(crate) fn send(&mut self, packet: &str) -> io::Result<()> {
        Ok(self.0.send(packet.to_owned())?)
    }

    /// Waits for a packet that begins so. Pings are answered meanwhile, and all else is passed over.
    pub(crate) fn wait_for(&mut self, beginning: &str) -> io::Result<()> {
        while let Some(message) = self.0.receive()? {
            match message {
                Message::Text(packet) if packet.starts_with(beginning) => return Ok(()),
                Message::Text(packet) if packet == "2" => self.send("3")?,
                _ => {}
            }
        }
        Err(io::Error::other("the server has closed a connection"))
    }
}
