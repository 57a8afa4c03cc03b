//! Packets as messages: a text, and its attachments after it.
//!
//! <https://socket.io/docs/v4/socket-io-protocol/>, "Packet encoding".

use crate::engineio::Message;
use crate::socketio::Args;
use crate::socketio::packet::{Content, Packet};
use serde_json::Value;
use std::fmt::Write;

/// The messages of a packet, which have to stay together.
pub(crate) fn encode(packet: &Packet) -> Vec<Message> {
    let mut text = String::new();
    let attachments = match &packet.content {
        Content::Event { args, .. } | Content::Ack { args, .. } => args.attachments(),
        _ => &[],
    };
    text.push(digit(&packet.content));
    if !attachments.is_empty() {
        // Writing to a string never fails, here and below.
        let _ = write!(text, "{}-", attachments.len());
    }
    if &*packet.namespace != "/" {
        let _ = write!(text, "{},", packet.namespace);
    }
    write_content(&packet.content, &mut text);
    let mut messages = vec![Message::Text(text)];
    messages.extend(attachments.iter().cloned().map(Message::Binary));
    messages
}

fn digit(content: &Content) -> char {
    match content {
        Content::Connect(_) => '0',
        Content::Disconnect => '1',
        Content::Event { args, .. } if args.attachments().is_empty() => '2',
        Content::Ack { args, .. } if args.attachments().is_empty() => '3',
        Content::Refuse(_) => '4',
        Content::Event { .. } => '5',
        Content::Ack { .. } => '6',
    }
}

fn write_content(content: &Content, text: &mut String) {
    match content {
        Content::Connect(value) | Content::Refuse(value) => {
            let _ = write!(text, "{value}");
        }
        Content::Disconnect => {}
        Content::Event { name, args, id } => {
            if let Some(id) = id {
                let _ = write!(text, "{id}");
            }
            write_event(name, args, text);
        }
        Content::Ack { id, args } => {
            let _ = write!(text, "{id}{}", args.as_json());
        }
    }
}

/// An event is an array: its name, then its arguments.
fn write_event(name: &str, args: &Args, text: &mut String) {
    let _ = write!(text, "[{}", Value::from(name));
    let rest = &args.as_json()[1..];
    if !args.is_empty() {
        text.push(',');
    }
    text.push_str(rest);
}
