//! What tests of real processes share: starting daemons, waiting for facts, asking over HTTP.
