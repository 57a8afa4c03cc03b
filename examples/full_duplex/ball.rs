//! A ball in a box that is 1 wide and 1 high, as a source of messages.

use greenwire::http::Json;
use greenwire::sync::Mutex;
use greenwire::thread;
use greenwire::websocket::Message;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

const STEP: Duration = Duration::from_millis(25);
/// How far it flies in a step, when it is at rest and when it has just been kicked.
const SLOWEST: f64 = 0.006;
const FASTEST: f64 = 0.035;

pub(crate) struct Ball(Mutex<State>);

struct State {
    position: [f64; 2],
    velocity: [f64; 2],
    kicks: u64,
}

/// Where a page was clicked.
#[derive(Deserialize)]
struct Click {
    x: f64,
    y: f64,
}

impl Ball {
    pub(crate) const fn new() -> Ball {
        Ball(Mutex::new(State {
            position: [0.3, 0.4],
            velocity: [0.005, 0.004],
            kicks: 0,
        }))
    }

    /// Waits for the next move, and tells it to `people`.
    pub(crate) fn receive(&self, people: usize) -> String {
        thread::sleep(STEP);
        let mut ball = self.0.lock().unwrap();
        ball.fly();
        let [x, y] = ball.position;
        json!({"x": x, "y": y, "kicks": ball.kicks, "people": people}).to_string()
    }

    /// Makes it fly away from where the click was; anything but a click is ignored.
    pub(crate) fn kick(&self, message: &Message) {
        if let Ok(Json(Click { x, y })) = Json::from_bytes(message.as_bytes()) {
            let mut ball = self.0.lock().unwrap();
            let [dx, dy] = [ball.position[0] - x, ball.position[1] - y];
            let distance = dx.hypot(dy).max(f64::EPSILON);
            ball.velocity = [dx, dy].map(|part| part / distance * FASTEST);
            ball.kicks += 1;
        }
    }
}

impl State {
    fn fly(&mut self) {
        let speed = self.velocity[0].hypot(self.velocity[1]);
        let friction = if speed > SLOWEST { 0.97 } else { 1.0 };
        for axis in 0..2 {
            self.velocity[axis] *= friction;
            self.position[axis] += self.velocity[axis];
            if !(0.0..=1.0).contains(&self.position[axis]) {
                self.position[axis] = self.position[axis].clamp(0.0, 1.0);
                self.velocity[axis] = -self.velocity[axis];
            }
        }
    }
}
