//! What both servers share: listening, limits, who is asking, errors, counts and logs.

mod addresses;
mod auth;
mod body;
mod caller;
mod decode;
mod expiry;
mod exposition;
mod frame;
mod grpc;
mod guard;
mod log;
mod metrics;
mod names;
mod path;
mod patient;
mod peer;
mod problem;
mod process;
mod scope;
mod server;
mod settle;
mod spans;
mod stamp;
mod tls;
mod token;
mod trace;

pub use auth::{AuthError, Tokens};
pub use body::{BodyLimits, RequestBody};
pub use caller::Caller;
pub use exposition::{plain as plain_metrics, render as render_metrics};
pub use log::init as init_log;
pub use metrics::{Connections, HttpMetrics, Outcome};
pub use peer::{CertificateNames, Peer};
pub use problem::Problem;
pub use scope::Scope;
pub use server::{ServeError, Server, ServerOptions, shutdown_signal};
pub use spans::{SpansError, init as init_spans};
pub use tls::{TlsError, TlsOptions};
pub use token::new_token;
pub use trace::Trace;

pub(crate) use exposition::answer as answer_metrics;
pub(crate) use frame::frame;
pub(crate) use grpc::{answer as grpc_answer, message as grpc_message};
pub(crate) use guard::{BYTES, JSON, content};
pub(crate) use metrics::{latency_buckets, raise};
