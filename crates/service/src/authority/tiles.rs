//! The ledger for stock readers of transparency logs: a signed head of its tree, and the tree in tiles.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::server::{Answer, AuthorityServer, Shared};
use crate::ledger::{Tile, Tree};
use crate::transport::{Caller, Problem, Scope};

/// `GET /v1/tlog/checkpoint`.
pub async fn checkpoint(State(server): Shared, Extension(caller): Extension<Caller>) -> Answer<Response> {
    caller.require(Scope::Ledger)?;
    let text = server.authority.tree_head().await?.to_text();
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// `GET /v1/tlog/tile/{level}/{index}`, with `entries` for a level.
pub async fn tile(
    State(server): Shared,
    Extension(caller): Extension<Caller>,
    Path((level, rest)): Path<(String, String)>,
) -> Answer<Response> {
    caller.require(Scope::Ledger)?;
    let tile = Tile::parse(&level, &rest).ok_or_else(|| Problem::not_found("this is not an address of a tile"))?;
    let bytes = tree(&server).await?.tile(tile);
    let bytes = bytes.ok_or_else(|| Problem::not_found("the ledger has no such tile yet; see the checkpoint"))?;
    // A tile never changes.
    let headers = [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, "private, immutable")];
    Ok((headers, bytes).into_response())
}

async fn tree(server: &AuthorityServer) -> Result<Tree, Problem> {
    Ok(Tree::new(&server.authority.state().await?.entries))
}
