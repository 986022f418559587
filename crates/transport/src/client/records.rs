//! An answer read as RecordIO records (W-3).

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use reeve_wire::recordio::Decoder;

use super::ClientError;

/// Records as they come. Dropping it closes the connection.
#[derive(Debug)]
pub struct Records {
    body: Incoming,
    decoder: Decoder,
    url: String,
}

impl Records {
    pub(super) fn new(body: Incoming, url: String, limit: usize) -> Records {
        Records { body, decoder: Decoder::new(limit), url }
    }

    /// The next record, however long it takes; `None` when the server has ended the stream.
    /// May be cancelled and called again: nothing is lost.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        loop {
            let popped = self.decoder.pop();
            let popped =
                popped.map_err(|source| ClientError::Records { url: self.url.clone(), source })?;
            if popped.is_some() {
                return Ok(popped);
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    if let Some(bytes) = frame.data_ref() {
                        self.decoder.push(bytes);
                    }
                }
                Some(Err(error)) => {
                    return Err(ClientError::Connection {
                        url: self.url.clone(),
                        source: error.into(),
                    });
                }
            }
        }
    }
}
