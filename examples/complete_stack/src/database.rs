//! PostgreSQL, by a driver that blocks whoever calls it: so others call it, on OS threads of `unblock`.

use greenwire::unblock;
use postgres::{Client, Error, NoTls, Row};
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};

const SCHEMA: &str = "
    create table if not exists choice (
        id serial primary key, name text unique not null, votes bigint not null default 0);
    insert into choice (name) values
        ('Potato salad'), ('Cherry pie'), ('A watermelon'), ('Lemonade'), ('A kite')
    on conflict do nothing";

#[derive(Serialize)]
pub(crate) struct Choice {
    id: i32,
    name: String,
    votes: i64,
}

impl Choice {
    fn of(row: &Row) -> Choice {
        Choice {
            id: row.get("id"),
            name: row.get("name"),
            votes: row.get("votes"),
        }
    }
}

/// One connection, which is made again when it is lost. An application with more to do has a pool here, such as r2d2's.
pub(crate) struct Database {
    url: String,
    client: Arc<Mutex<Client>>,
}

impl Database {
    pub(crate) fn open(url: &str) -> Result<Database, Error> {
        let mut client = Client::connect(url, NoTls)?;
        client.batch_execute(SCHEMA)?;
        Ok(Database {
            url: url.to_owned(),
            client: Arc::new(Mutex::new(client)),
        })
    }

    pub(crate) fn choices(&self) -> Result<Vec<Choice>, Error> {
        let rows = self.run(|client| client.query("select * from choice order by id", &[]))?;
        Ok(rows.iter().map(Choice::of).collect())
    }

    pub(crate) fn vote(&self, id: i32) -> Result<Choice, Error> {
        let vote = "update choice set votes = votes + 1 where id = $1 returning *";
        let row = self.run(move |client| client.query_one(vote, &[&id]))?;
        Ok(Choice::of(&row))
    }

    /// Parks the green thread while `work` waits for PostgreSQL.
    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Client) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (url, client) = (self.url.clone(), self.client.clone());
        unblock(move || {
            let mut client = client.lock().unwrap_or_else(PoisonError::into_inner);
            if client.is_closed() {
                *client = Client::connect(&url, NoTls)?;
            }
            work(&mut client)
        })
    }
}
