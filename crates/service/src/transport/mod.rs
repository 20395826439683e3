//! What both servers share: listening, limits, who is asking, errors, counts and logs.

mod auth;
mod body;
mod frame;
mod log;
mod metrics;
mod problem;
mod server;
mod tls;

pub use auth::{AuthError, Caller, Scope, Tokens};
pub use body::{BodyLimits, RequestBody};
pub use log::init as init_log;
pub use metrics::{HttpMetrics, render as render_metrics};
pub use problem::Problem;
pub use server::{ServeError, Server, ServerOptions, shutdown_signal};
pub use tls::{TlsError, TlsOptions};

pub(crate) use frame::frame;
