//! A cluster on ports of this machine until it is interrupted, to try clients against:
//!
//!     cargo run -p kafka-sim --example serve -- 3.9 9092 9093 9094
//!
//! The first argument is the release, 3.9 or 4.3; each further one the port of a broker. For development only.
#![allow(clippy::print_stdout)]

use kafka_sim::{Cluster, Release};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let release = match args.next().as_deref() {
        Some("3.9") => Release::V3_9,
        Some("4.3") | None => Release::V4_3,
        Some(other) => return Err(format!("release {other}: 3.9 and 4.3 exist").into()),
    };
    let ports = args.map(|port| port.parse()).collect::<Result<Vec<u16>, _>>()?;
    let cluster = Cluster::builder().release(release).brokers(ports.len()).build();
    cluster.listen(&ports).await?;
    println!("{release:?} at {}", cluster.bootstrap());
    loop {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        cluster.apply_retention();
    }
}
