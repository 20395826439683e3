//! What both servers share: listening, limits, who is asking, errors, counts and logs.

mod addresses;
mod auth;
mod body;
mod caller;
mod frame;
mod guard;
mod log;
mod metrics;
mod names;
mod patient;
mod peer;
mod problem;
mod scope;
mod server;
mod settle;
mod tls;
mod token;

pub use auth::{AuthError, Tokens};
pub use body::{BodyLimits, RequestBody};
pub use caller::Caller;
pub use log::init as init_log;
pub use metrics::{HttpMetrics, render as render_metrics};
pub use peer::{CertificateNames, Peer};
pub use problem::Problem;
pub use scope::Scope;
pub use server::{ServeError, Server, ServerOptions, shutdown_signal};
pub use tls::{TlsError, TlsOptions};
pub use token::new_token;

pub(crate) use frame::frame;
pub(crate) use guard::{BYTES, JSON, content};
