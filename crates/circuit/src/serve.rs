//! `circuit serve` and `circuit reindex`.

use std::{net::SocketAddr, sync::Arc};

use axum::Router;
use domain::{Error, Result};
use server::{Options, listening, local_only, router};
use tokio::{net::TcpListener, sync::watch};
use tracing::info;

use crate::{
    cli::Settings,
    config::{self, Config},
    log,
    socket::Socket,
    stop,
    wiring::{Wired, wired},
};

pub async fn serve(settings: &Settings) -> Result<()> {
    let config = config::read(settings)?;
    log::begin(&config.log)?;
    let requests = stop::Requests::heard()?;
    let listener = listen(config.address).await?;
    let public_url = public_url(&config, &listener)?;
    let wired = wired(&config, public_url.clone(), Arc::new(Socket::new()?)).await?;
    info!(address = %bound(&listener)?, data_dir = %config.data_dir.display(), "Circuit {} is at {public_url}", env!("CARGO_PKG_VERSION"));
    let (tell, told) = watch::channel(false);
    stop::until_asked(
        run(&wired, listener, doors(&wired, &config, &public_url), told),
        tell,
        requests,
    )
    .await?;
    wired.close().await;
    info!("Stopped");
    Ok(())
}

/// Serves and works until told to stop.
pub async fn run(wired: &Wired, listener: TcpListener, doors: Router, told: watch::Receiver<bool>) -> Result<()> {
    let mut stop = told.clone();
    let stopped = async move {
        // The sender's end means the same.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    // A task of its own, so that the doors answer while it reads and writes.
    let app = wired.app.clone();
    let work = tokio::spawn(async move { app.work(told).await });
    let ((), worked) = tokio::join!(listening(listener, doors, stopped), work);
    worked.map_err(|panic| Error::internal("the background work broke down").because(panic))
}

/// Without a public URL Circuit is for this machine, and answers to no other name.
fn doors(wired: &Wired, config: &Config, public_url: &str) -> Router {
    let doors = router(wired.app.clone(), options(public_url));
    match config.public_url {
        Some(_) => doors,
        None => local_only(doors, public_url),
    }
}

pub fn options(public_url: &str) -> Options {
    Options {
        secure_cookies: public_url.starts_with("https://"),
        version: env!("CARGO_PKG_VERSION"),
        demo_session: None,
    }
}

/// Binds before anything else is touched, so that an occupied port is the first thing said.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let advice = match error.kind() {
            std::io::ErrorKind::AddrInUse => "another program listens there; stop it, or choose another with --address",
            std::io::ErrorKind::PermissionDenied => "this user may not; choose a port of 1024 or more with --address",
            std::io::ErrorKind::AddrNotAvailable => "this machine has no such address; choose another with --address",
            _ => "choose another with --address",
        };
        Error::unavailable(format!("cannot listen at {address} ({error}): {advice}"))
    })
}

/// Where people reach it: as configured, or at the address that was bound.
fn public_url(config: &Config, listener: &TcpListener) -> Result<String> {
    if let Some(url) = &config.public_url {
        return Ok(url.clone());
    }
    let bound = bound(listener)?;
    Ok(match bound.ip().is_unspecified() || bound.ip().is_loopback() {
        true => format!("http://localhost:{}", bound.port()),
        false => format!("http://{bound}"),
    })
}

fn bound(listener: &TcpListener) -> Result<SocketAddr> {
    listener
        .local_addr()
        .map_err(|error| Error::internal("the bound address is unknown").because(error))
}

pub async fn reindex(settings: &Settings) -> Result<()> {
    let config = config::read(settings)?;
    log::begin(&config.log)?;
    let wired = wired(&config, "http://localhost".into(), Arc::new(Socket::new()?)).await?;
    eprintln!("Building the search indexes from the store…");
    let documents = wired.app.reindex().await?;
    println!("Indexed {documents} documents.");
    Ok(())
}
