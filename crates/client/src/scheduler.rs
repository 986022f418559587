//! The v1 scheduler API from the framework's side (SC-1 … SC-16, SE-1 … SE-10): one stream of
//! events, and calls beside it.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, StatusCode};
use reeve_transport::client::{Call as HttpCall, HttpClient, Opened, Records};
use reeve_wire::v1;
use reeve_wire::v1::scheduler::{Call, Event, call, event};

use crate::credentials::{Credentials, signed};
use crate::error::Error;
use crate::master::MasterAddress;

/// How long a call may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The header that ties calls to a subscription.
const STREAM_ID: HeaderName = HeaderName::from_static("mesos-stream-id");

/// How messages are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codec {
    /// `application/x-protobuf`.
    #[default]
    Protobuf,
    /// `application/json`.
    Json,
}

impl Codec {
    fn media_type(self) -> &'static str {
        match self {
            Codec::Protobuf => "application/x-protobuf",
            Codec::Json => "application/json",
        }
    }

    fn encode(self, call: &Call) -> Bytes {
        match self {
            Codec::Protobuf => reeve_wire::encode(call),
            Codec::Json => reeve_wire::json::to_vec(call).into(),
        }
    }

    fn decode(self, record: &Bytes) -> Result<Event, String> {
        match self {
            Codec::Protobuf => reeve_wire::decode(record).map_err(|error| error.to_string()),
            Codec::Json => reeve_wire::json::from_slice(record).map_err(|error| error.to_string()),
        }
    }
}

/// Calls of a subscribed framework. Clones share the subscription.
#[derive(Clone, Debug)]
pub struct Connection {
    http: HttpClient,
    url: String,
    address: String,
    codec: Codec,
    stream_id: String,
    framework: v1::FrameworkId,
    credentials: Option<Credentials>,
}

/// The events of a subscription.
#[derive(Debug)]
pub struct Events {
    records: Records,
    codec: Codec,
    address: String,
}

/// Subscribes and waits for SUBSCRIBED, whose event is given too. All calls carry the credentials.
pub async fn subscribe(
    master: &MasterAddress,
    credentials: Option<Credentials>,
    codec: Codec,
    subscription: call::Subscribe,
) -> Result<(Connection, Events, event::Subscribed), Error> {
    let http = HttpClient::new();
    let url = master.url("/api/v1/scheduler");
    let framework_id = subscription.framework_info.id.clone();
    let call = Call {
        framework_id,
        r#type: Some(call::Type::Subscribe.into()),
        subscribe: Some(subscription),
        ..Call::default()
    };
    let request = HttpCall::post(&*url, codec.media_type(), codec.encode(&call))
        .with_header(http::header::ACCEPT, codec.media_type());
    let request = signed(credentials.as_ref(), request);
    let address = master.to_string();
    let opened = http.open(&request, PATIENCE).await;
    let opened =
        opened.map_err(|source| Error::Unreachable { address: address.clone(), source })?;
    let (headers, records, url) = match opened {
        Opened::Stream { headers, records, url } => (headers, records, url),
        Opened::Refused(reply) => {
            let (status, text) = (reply.status.as_u16(), reply.text());
            return Err(Error::Refused { address, what: "SUBSCRIBE", status, text });
        }
    };
    let stream_id = headers.get(&STREAM_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
    let wrong = |why: &str| Error::Answer {
        address: address.clone(),
        what: "SUBSCRIBE",
        why: why.to_owned(),
    };
    let stream_id = stream_id.ok_or_else(|| wrong("it has no Mesos-Stream-Id; is it a master?"))?;
    let mut events = Events { records, codec, address: address.clone() };
    let first = tokio::time::timeout(PATIENCE, events.next()).await;
    let first = first.map_err(|_| wrong("no event came"))??;
    let subscribed = match first {
        Some(Event { subscribed: Some(subscribed), .. }) => subscribed,
        Some(Event { error: Some(error), .. }) => {
            let text = error.message;
            return Err(Error::Refused { address, what: "SUBSCRIBE", status: 200, text });
        }
        _ => return Err(wrong("the first event is not SUBSCRIBED")),
    };
    let framework = subscribed.framework_id.clone();
    let connection = Connection { http, url, address, codec, stream_id, framework, credentials };
    Ok((connection, events, subscribed))
}

impl Connection {
    /// The framework's id.
    pub fn framework(&self) -> &v1::FrameworkId {
        &self.framework
    }

    /// Makes a call. The framework's id is filled in.
    pub async fn call(&self, kind: call::Type, mut call: Call) -> Result<(), Error> {
        call.framework_id = Some(self.framework.clone());
        call.r#type = Some(kind.into());
        let request = HttpCall::post(&*self.url, self.codec.media_type(), self.codec.encode(&call))
            .with_header(http::header::ACCEPT, self.codec.media_type())
            .with_header(STREAM_ID, &self.stream_id);
        let request = signed(self.credentials.as_ref(), request);
        let reply = self.http.send(&request, PATIENCE).await;
        let address = self.address.clone();
        let reply =
            reply.map_err(|source| Error::Unreachable { address: address.clone(), source })?;
        match reply.status {
            StatusCode::ACCEPTED | StatusCode::OK => Ok(()),
            status => Err(Error::Refused {
                address,
                what: kind.as_str_name(),
                status: status.as_u16(),
                text: reply.text(),
            }),
        }
    }

    /// ACCEPT: uses offers; what is left of them is not offered again for `refuse` seconds.
    pub async fn accept(
        &self,
        offers: Vec<v1::OfferId>,
        operations: Vec<v1::offer::Operation>,
        refuse: f64,
    ) -> Result<(), Error> {
        let accept =
            Some(call::Accept { offer_ids: offers, operations, filters: refusing(refuse) });
        self.call(call::Type::Accept, Call { accept, ..Call::default() }).await
    }

    /// DECLINE: gives offers back for `refuse` seconds.
    pub async fn decline(&self, offers: Vec<v1::OfferId>, refuse: f64) -> Result<(), Error> {
        let decline = Some(call::Decline { offer_ids: offers, filters: refusing(refuse) });
        self.call(call::Type::Decline, Call { decline, ..Call::default() }).await
    }

    /// ACCEPT_INVERSE_OFFERS: these agents may go; it is not asked again for `refuse` seconds.
    pub async fn accept_inverse_offers(
        &self,
        offers: Vec<v1::OfferId>,
        refuse: f64,
    ) -> Result<(), Error> {
        let filters = refusing(refuse);
        let accept = Some(call::AcceptInverseOffers { inverse_offer_ids: offers, filters });
        let call = Call { accept_inverse_offers: accept, ..Call::default() };
        self.call(call::Type::AcceptInverseOffers, call).await
    }

    /// DECLINE_INVERSE_OFFERS: these agents are needed; it is not asked again for `refuse` seconds.
    pub async fn decline_inverse_offers(
        &self,
        offers: Vec<v1::OfferId>,
        refuse: f64,
    ) -> Result<(), Error> {
        let filters = refusing(refuse);
        let decline = Some(call::DeclineInverseOffers { inverse_offer_ids: offers, filters });
        let call = Call { decline_inverse_offers: decline, ..Call::default() };
        self.call(call::Type::DeclineInverseOffers, call).await
    }

    /// ACKNOWLEDGE, if the status asks for it.
    pub async fn acknowledge(&self, status: &v1::TaskStatus) -> Result<(), Error> {
        let (Some(agent_id), Some(uuid)) = (status.agent_id.clone(), status.uuid.clone()) else {
            return Ok(());
        };
        let task_id = status.task_id.clone();
        let acknowledge = Some(call::Acknowledge { agent_id, task_id, uuid });
        self.call(call::Type::Acknowledge, Call { acknowledge, ..Call::default() }).await
    }

    /// KILL.
    pub async fn kill(
        &self,
        task_id: v1::TaskId,
        agent_id: Option<v1::AgentId>,
    ) -> Result<(), Error> {
        let kill = Some(call::Kill { task_id, agent_id, kill_policy: None });
        self.call(call::Type::Kill, Call { kill, ..Call::default() }).await
    }

    /// SUPPRESS in all roles: no more offers.
    pub async fn suppress(&self) -> Result<(), Error> {
        let suppress = Some(call::Suppress::default());
        self.call(call::Type::Suppress, Call { suppress, ..Call::default() }).await
    }

    /// REVIVE in all roles: offers again, whatever was refused.
    pub async fn revive(&self) -> Result<(), Error> {
        let revive = Some(call::Revive::default());
        self.call(call::Type::Revive, Call { revive, ..Call::default() }).await
    }

    /// RECONCILE: the master tells the present status of these tasks, or of all if there are none.
    pub async fn reconcile(&self, tasks: Vec<call::reconcile::Task>) -> Result<(), Error> {
        let reconcile = Some(call::Reconcile { tasks });
        self.call(call::Type::Reconcile, Call { reconcile, ..Call::default() }).await
    }

    /// TEARDOWN: the framework and all it runs end.
    pub async fn teardown(&self) -> Result<(), Error> {
        self.call(call::Type::Teardown, Call::default()).await
    }
}

impl Events {
    /// The next event; `None` when the master has ended the stream. May be cancelled.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        let record = self.records.next().await;
        let record =
            record.map_err(|source| Error::Broken { address: self.address.clone(), source })?;
        let Some(record) = record else { return Ok(None) };
        self.codec.decode(&record).map(Some).map_err(|why| Error::Answer {
            address: self.address.clone(),
            what: "an event",
            why,
        })
    }
}

/// What is not taken now is not wanted for so many seconds.
fn refusing(seconds: f64) -> Option<v1::Filters> {
    Some(v1::Filters { refuse_seconds: Some(seconds) })
}
