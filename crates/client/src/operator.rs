//! Questions an operator asks a master: JSON endpoints, and why there are no offers.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use reeve_transport::client::{Call, HttpClient};
use serde_json::Value;

use crate::credentials::{Credentials, signed};
use crate::error::Error;
use crate::master::MasterAddress;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks one master.
#[derive(Clone, Debug)]
pub struct Operator {
    http: HttpClient,
    master: MasterAddress,
    credentials: Option<Credentials>,
}

impl Operator {
    /// Asks the master at that address, as somebody or as nobody in particular.
    pub fn new(master: MasterAddress, credentials: Option<Credentials>) -> Self {
        Self { http: HttpClient::new(), master, credentials }
    }

    /// The JSON of an endpoint of a master, such as `/state`.
    pub async fn get(&self, path: &str) -> Result<Value, Error> {
        self.ask(self.master.url(path)).await
    }

    /// The JSON of an endpoint that agents have as well, such as `/modules`.
    pub async fn get_of_any(&self, path: &str) -> Result<Value, Error> {
        self.ask(format!("http://{}{path}", self.master)).await
    }

    /// Makes a call of `/api/v1` that changes something.
    pub async fn call(&self, call: &Value) -> Result<(), Error> {
        self.make(call).await.map(drop)
    }

    /// Makes a call of `/api/v1` that asks something; its answer.
    pub async fn question(&self, call: &Value) -> Result<Value, Error> {
        let body = self.make(call).await?;
        self.read(&body)
    }

    async fn make(&self, call: &Value) -> Result<Bytes, Error> {
        let address = self.master.to_string();
        let post = Call::post(self.master.url("/api/v1"), "application/json", call.to_string());
        let reply = self.http.send(&signed(self.credentials.as_ref(), post), PATIENCE).await;
        let reply =
            reply.map_err(|source| Error::Unreachable { address: address.clone(), source })?;
        if reply.status == StatusCode::OK {
            return Ok(reply.body);
        }
        let (status, text) = (reply.status.as_u16(), reply.text());
        Err(Error::Refused { address, what: "the call", status, text })
    }

    async fn ask(&self, url: String) -> Result<Value, Error> {
        let address = self.master.to_string();
        let call = signed(self.credentials.as_ref(), Call::get(url));
        let reply = self.http.send(&call, PATIENCE).await;
        let reply =
            reply.map_err(|source| Error::Unreachable { address: address.clone(), source })?;
        if reply.status != StatusCode::OK {
            let (status, text) = (reply.status.as_u16(), reply.text());
            return Err(Error::Refused { address, what: "the question", status, text });
        }
        self.read(&reply.body)
    }

    fn read(&self, body: &[u8]) -> Result<Value, Error> {
        serde_json::from_slice(body).map_err(|error| Error::Answer {
            address: self.master.to_string(),
            what: "the question",
            why: error.to_string(),
        })
    }

    /// Why a framework has no offers, in the master's words. A master that can't say gives none.
    pub async fn explain(&self, framework: &str) -> Result<Vec<String>, Error> {
        let answer = match self.get(&format!("/explain?framework_id={framework}")).await {
            Ok(answer) => answer,
            Err(Error::Refused { .. } | Error::Answer { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let reasons = answer["reasons"].as_array().cloned().unwrap_or_default();
        Ok(reasons.iter().filter_map(|reason| reason.as_str().map(str::to_owned)).collect())
    }
}
